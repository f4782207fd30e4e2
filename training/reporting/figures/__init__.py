"""Figures: drawn with matplotlib by all modules but `image_grids`, which the terminal and TensorBoard use too."""
