"""Lightning's Trainer over a DataLoader, as documented; logger, checkpoints and bars off."""

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from contenders import BATCH_SIZE, LEARNING_RATE
from contenders.explicit_loop import binarized, negative_elbo, networks, weights_of


class LightningVAE(lightning.LightningModule):
    def __init__(self, fused):
        super().__init__()
        self.encoder, self.decoder = networks()
        self.fused = fused

    def training_step(self, batch, batch_idx):
        (grey,) = batch
        return negative_elbo(self.encoder, self.decoder, binarized(grey))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE, fused=self.fused)


class PauseCallback(lightning.Callback):
    def __init__(self, pause):
        self.pause = pause

    def on_train_epoch_start(self, trainer, pl_module):
        self.pause()


def train(images, epochs, pause, *, fused=None):
    lightning.seed_everything(0)
    vae = LightningVAE(fused)

    def weights():
        return weights_of(vae.encoder, vae.decoder)

    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[PauseCallback(lambda: pause(weights))],
    )
    dataset = TensorDataset(torch.tensor(images) / 255)
    trainer.fit(vae, DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True))
    pause(weights)


def train_fused(images, epochs, pause):
    train(images, epochs, pause, fused=True)
