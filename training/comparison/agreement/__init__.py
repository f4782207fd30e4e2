"""Agreement of the frameworks: losses, layers and logits side by side."""
