"""One file for each way to train the same VAE.

Each has `train(images, epochs, pause)`. `images` is a uint8 array (N, 784); `pause(weights)` is
called before every epoch and after the last, where `weights()` gives the eight arrays of
784-400-40 and 20-400-784 in torch's layout: (outputs, inputs), then the bias, layer by layer.
The encoder's 40 outputs are 20 means and 20 log-variances.
"""

HIDDEN = 400
LATENT_DIM = 20
BATCH_SIZE = 128
LEARNING_RATE = 1e-3
