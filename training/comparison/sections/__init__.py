"""What a comparison asks its processes for and makes of their answers: a file a section, each saved as it goes."""
