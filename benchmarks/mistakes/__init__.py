"""Common VAE mistakes, and what each costs."""
