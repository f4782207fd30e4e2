"""How much of a request is read: one dataclass, checked by every codec. Holds no settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """What a request may cost; anything over a limit is a `TooLargeError`."""

    max_body_bytes: int = 32 * 2**20
    """Length of a body in bytes, as sent and also once a content encoding is undone; 1 or more."""

    max_images: int = 1024
    """Images or latents in one request; 1 or more."""

    max_samples: int = 5000
    """Draws of noise for each image in one request; 1 or more."""

    max_pixels: int = 25_000_000
    """Pixels of all image files of one request together, before they are resized; 1 or more."""
