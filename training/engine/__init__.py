"""The training loop, evaluation and run state, independent of frameworks."""
