"""Limits on the size of a request: one dataclass, checked by every codec. Holds no settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """Limits of one request; anything over a limit is a `TooLargeError`."""

    max_body_bytes: int
    """Length of a body in bytes, as sent and also once a content encoding is undone; 1 or more."""

    max_images: int
    """Images or latents in one request; 1 or more."""

    max_samples: int
    """Draws of noise for each image in one request; 1 or more."""

    max_pixels: int
    """Pixels of all image files of one request together, before they are resized; 1 or more."""
