"""Fill-ins of chapter 0, a VAE in half an hour."""
