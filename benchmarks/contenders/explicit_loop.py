"""A loop in plain torch: formulas written out, no checks, fused Adam."""

import torch
from torch import nn
from torch.nn import functional as F

from contenders import BATCH_SIZE, HIDDEN, LATENT_DIM, LEARNING_RATE


def networks():
    encoder = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT_DIM))
    decoder = nn.Sequential(nn.Linear(LATENT_DIM, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784))
    return encoder, decoder


def weights_of(encoder, decoder):
    return [p.detach().numpy() for p in (*encoder.parameters(), *decoder.parameters())]


def binarized(grey):
    return (torch.rand_like(grey) < grey).float()


def negative_elbo(encoder, decoder, x):
    mu, log_var = encoder(x).chunk(2, dim=1)
    z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
    kl = 0.5 * (mu.square() + log_var.exp() - log_var - 1).sum()
    bce = F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
    return (bce + kl) / len(x)


def set_up(images):
    """Two functions: one gives the weights, the other trains for one epoch."""
    torch.manual_seed(0)
    data = torch.tensor(images) / 255
    encoder, decoder = networks()
    parameters = [*encoder.parameters(), *decoder.parameters()]
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)

    def epoch():
        for indices in torch.randperm(len(data)).split(BATCH_SIZE):
            loss = negative_elbo(encoder, decoder, binarized(data[indices]))
            adam.zero_grad()
            loss.backward()
            adam.step()

    return lambda: weights_of(encoder, decoder), epoch


def train(images, epochs, pause):
    weights, epoch = set_up(images)
    for _ in range(epochs):
        pause(weights)
        epoch()
    pause(weights)
