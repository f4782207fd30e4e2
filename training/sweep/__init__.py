"""Sweeps: several recipes with several seeds each, compared by their validation ELBO alone."""
