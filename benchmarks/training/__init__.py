"""Training speed beside the machine's matrix products and a common loop."""
