"""pythae's TrainingPipeline and its VAE, with our networks: BCE on grey pixels."""

import tempfile

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback

from contenders import BATCH_SIZE, LATENT_DIM, LEARNING_RATE
from contenders.explicit_loop import networks, weights_of


class Encoder(BaseEncoder):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        mu, log_var = self.net(x).chunk(2, dim=1)
        return ModelOutput(embedding=mu, log_covariance=log_var)


class Decoder(BaseDecoder):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, z):
        return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))


class PauseCallback(TrainingCallback):
    def __init__(self, pause):
        self.pause = pause

    def on_epoch_begin(self, training_config, **kwargs):
        self.pause()


def train(images, epochs, pause, *, fused=None):
    encoder, decoder = networks()
    config = VAEConfig(input_dim=(784,), latent_dim=LATENT_DIM, reconstruction_loss="bce")
    vae = VAE(config, encoder=Encoder(encoder), decoder=Decoder(decoder))

    def weights():
        return weights_of(vae.encoder, vae.decoder)

    with tempfile.TemporaryDirectory() as folder:
        training_config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=LEARNING_RATE,
            optimizer_params={"fused": fused},
            no_cuda=True,
        )
        pipeline = TrainingPipeline(model=vae, training_config=training_config)
        data = torch.tensor(images) / 255
        pipeline(train_data=data, callbacks=[PauseCallback(lambda: pause(weights))])
        pause(weights)


def train_fused(images, epochs, pause):
    train(images, epochs, pause, fused=True)
