"""One module per framework: execution modes, replayed training steps and inference for the comparison."""
