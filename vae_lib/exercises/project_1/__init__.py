"""The pieces and the whole of Project I, a VAE of one's own."""
