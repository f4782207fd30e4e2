"""Cases of the hostile corpora: a request, and the expected response."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.support.app import MODEL

JSON = {"Content-Type": "application/json"}

NPY = {"Content-Type": "application/x-npy"}

PNG = {"Content-Type": "image/png"}

MAX_IMAGES = 32
"""Limit of the service that the corpora are sent to."""

MAX_BODY_BYTES = 2**20
"""The same."""

IMAGE = np.linspace(0, 1, MODEL.image_dim, dtype=np.float32)
"""An image, flat; its last pixel is the only one that is 1."""

PIXELS = json.dumps(IMAGE.tolist()).encode()
"""The same in JSON."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and the status of its answer."""

    name: str
    status: int
    content: Any
    headers: Any
    url: str = "/encode"

    words: str = ""
    """Text that the error message contains."""

    images: Any = None
    """The images that it stands for, where it is answered."""

    tolerance: float = 0
    """Tolerance of its means, compared with those of the images."""


def images_in_json(text, *, options=b""):
    """Return a JSON body whose `images` is this text."""
    return b'{"images": ' + text + options + b"}"
