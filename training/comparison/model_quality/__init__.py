"""Test ELBO and importance-weighted bound, over several seeds."""
