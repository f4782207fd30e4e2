"""What a process of a comparison measures in one framework: a file each, whose `run` returns JSON values."""
