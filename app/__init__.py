"""REST service of the trained variational autoencoders. Imports no trainer."""
