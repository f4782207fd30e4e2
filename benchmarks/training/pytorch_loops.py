"""PyTorch's common ways to load images: a `DataLoader` of pictures, as torchvision has MNIST, and one of tensors."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils import data

from training.config import ModelConfig

_MODEL = ModelConfig()


class Pictures(data.Dataset):
    """Data set with torchvision's conversion of each item: to a PIL image, then to a tensor in [0, 1]."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = torch.tensor(images)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    def __getitem__(self, index: int) -> Any:
        """Return an image's pixels, in a tuple."""
        picture = Image.fromarray(self._images[index].reshape(_MODEL.image_shape).numpy())
        tensor = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        return (tensor.view(_MODEL.image_dim).to(torch.float32).div(255),)


def tensors(images: np.ndarray) -> data.TensorDataset:
    """Return a data set of all pixels as floats in [0, 1]."""
    return data.TensorDataset(torch.tensor(images).to(torch.float32).div(255))


def load(dataset: Any, batch_size: int) -> Any:
    """Return shuffled batches, each in a tuple."""
    return data.DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)
