"""Train chapter 8's VAE on MNIST, judge it, and say how long that took.

    python benchmarks/train.py                         one process, on a GPU if there is one
    torchrun --nproc-per-node=2 benchmarks/train.py    two processes share every batch
    python benchmarks/train.py --checkpoint run.pt     goes on where it was stopped

784-400-(20, 20) and 20-400-784 with ReLU, a Bernoulli likelihood, dynamic binarisation, Adam with
a one-cycle learning rate. The number of threads is torch's own choice: set OMP_NUM_THREADS.
"""

import argparse
import os
import time

import torch
from torch import distributed as dist

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.data import binarize, load
from vae_lib.evaluation import log_likelihood
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import best_device, evaluate, fit


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument(
        "--lr", type=float, default=2.5e-3, help="the peak of the one-cycle schedule"
    )
    parser.add_argument("--hidden", type=int, default=400)
    parser.add_argument("--latent", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", help="a file to write after every epoch and to go on from")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--samples", type=int, default=1000, help="for the log-likelihood")
    parser.add_argument("--images", type=int, help="that the log-likelihood is judged on: all")
    return parser.parse_args()


def make_vae(data_dim, hidden, latent_dim, seed):
    torch.manual_seed(seed)
    encoder = DiagonalGaussian(mlp(data_dim, hidden, 2 * latent_dim))
    decoder = Bernoulli(mlp(latent_dim, hidden, data_dim))
    return VAE(encoder, decoder, StandardNormal(latent_dim))


def join_processes():
    """Under torchrun, meet the other processes, each with a GPU of its own if there are any."""
    if "LOCAL_RANK" in os.environ:
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group()
    return dist.is_initialized() and dist.get_rank() > 0


def main():
    options = arguments()
    silent = join_processes()
    data = load(options.dataset)
    vae = make_vae(data.train.shape[1], options.hidden, options.latent, options.seed)
    vae.to(best_device())  # fit gives it back there
    start = time.perf_counter()
    history = fit(
        vae,
        elbo,
        data.train,
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        one_cycle=True,
        transform=binarize,
        seed=options.seed,
        checkpoint=options.checkpoint,
        compile=options.compile,
        bf16=options.bf16,
    )
    seconds = time.perf_counter() - start
    if not silent:
        report(vae, data.test, options, history, seconds)
    if dist.is_initialized():
        dist.destroy_process_group()


def report(vae, test, options, history, seconds):
    device = next(vae.parameters()).device
    print(f"trained on        {device}, {torch.get_num_threads()} threads, in {seconds:.1f} s")
    print(f"an epoch          {history.seconds / options.epochs:.2f} s")
    print(f"compilation       {history.warm_up:.1f} s")
    print(f"training ELBO     {history.train[-1]:.2f} nats")
    held_out = evaluate(vae, elbo, test, transform=binarize, seed=1)
    print(f"held-out ELBO     {held_out:.2f} nats, {len(test):,} images")
    generator = torch.Generator(device).manual_seed(1)
    images = binarize(test[: options.images].to(device), generator=generator)
    start = time.perf_counter()
    log_px = log_likelihood(vae, images, n_samples=options.samples)
    seconds = time.perf_counter() - start
    error = log_px.std() / len(images) ** 0.5
    print(f"log-likelihood    {log_px.mean():.2f} nats, standard error {error:.2f}")
    print(f"                  {len(images):,} images, {options.samples:,} samples, {seconds:.1f} s")


if __name__ == "__main__":
    main()
