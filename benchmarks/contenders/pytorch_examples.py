"""The way of pytorch/examples/vae: image by image from PIL, BCE on grey pixels, plain Adam.

torchvision may be missing for this torch: the two classes it takes from there, MNIST and ToTensor,
are written out below with the steps that they take.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from contenders import BATCH_SIZE, HIDDEN, LATENT_DIM, LEARNING_RATE


class PILImages(Dataset):
    def __init__(self, images):
        self.data = torch.tensor(images).reshape(-1, 28, 28)
        self.targets = torch.zeros(len(images), dtype=torch.int64)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image = Image.fromarray(self.data[index].numpy())
        tensor = torch.from_numpy(np.array(image, np.uint8, copy=True)).view(28, 28, 1)
        tensor = tensor.permute(2, 0, 1).contiguous().to(torch.get_default_dtype()).div(255)
        return tensor, int(self.targets[index])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, HIDDEN)
        self.mu = nn.Linear(HIDDEN, LATENT_DIM)
        self.log_var = nn.Linear(HIDDEN, LATENT_DIM)
        self.decoder_hidden = nn.Linear(LATENT_DIM, HIDDEN)
        self.decoder_output = nn.Linear(HIDDEN, 784)

    def forward(self, x):
        h = F.relu(self.hidden(x.view(-1, 784)))
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        return torch.sigmoid(self.decoder_output(F.relu(self.decoder_hidden(z)))), mu, log_var

    def weights(self):
        mu, log_var = self.mu.parameters(), self.log_var.parameters()
        heads = (torch.cat(pair) for pair in zip(mu, log_var, strict=True))
        decoder = *self.decoder_hidden.parameters(), *self.decoder_output.parameters()
        return [p.detach().numpy() for p in (*self.hidden.parameters(), *heads, *decoder)]


def train(images, epochs, pause):
    torch.manual_seed(1)
    vae = VAE()
    adam = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE)
    loader = DataLoader(PILImages(images), batch_size=BATCH_SIZE, shuffle=True)
    for _ in range(epochs):
        pause(vae.weights)
        total = 0.0
        for i, (x, _) in enumerate(loader):
            adam.zero_grad()
            x_mean, mu, log_var = vae(x)
            bce = F.binary_cross_entropy(x_mean, x.view(-1, 784), reduction="sum")
            kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
            loss = bce + kl
            loss.backward()
            total += loss.item()
            adam.step()
            if i % 10 == 0:
                print(f"batch {i} of {len(loader)}: {loss.item() / len(x):.6f}")
        print(f"average loss: {total / len(images):.4f}")
    pause(vae.weights)
