"""The service and the trainers on a GPU, in one run of a few minutes."""
