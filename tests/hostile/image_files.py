"""Hostile and odd image files: each with what it is answered with."""

import struct
import zlib

import numpy as np
from PIL import Image

from tests.hostile import PNG, Request
from tests.pictures import encode, scene, scene_image, scenes
from tests.test_codecs_hostile_pictures import jpeg_with_scans, png_bomb, png_chunk

# Compressed once and lossless: what comes out of these is the scene to the last bit.
LOSSLESS = ("PNG", "BMP", "WebP lossless", "WebP RGBA", "GIF", "TIFF")

HEADER_END = 33
"""Where the first chunk after a PNG's header begins."""


def with_chunk(kind, data):
    """Return the scene as a PNG with a chunk of metadata."""
    png = scenes()["PNG gray"]
    return png[:HEADER_END] + png_chunk(kind, data) + png[HEADER_END:]


def damaged():
    """Return the scene as a PNG, a bit of which is wrong."""
    png = bytearray(scenes()["PNG gray"])
    png[HEADER_END + 10] ^= 1
    return bytes(png)


INFLATED = zlib.compress(bytes(20_000_000))

UNREADABLE = {
    "text": b"hello",
    "SVG": b"<svg/>",
    "PDF": b"%PDF-1.7",
    "ICO": encode(scene(), "ICO"),
    "no pixels": png_bomb(0, 0),
    "no columns": png_bomb(0, 28),
    "fewer pixels than announced": png_bomb(2000, 2000),
    "a wrong bit": damaged(),
    "text that inflates": with_chunk(b"zTXt", b"a\0\0" + INFLATED),
    "WebP with a wrong size": scenes()["WebP lossy"][:24] + b"\xff" * 6 + scenes()["WebP lossy"][30:],
    **{f"half of {name}": data[: len(data) // 2] for name, data in scenes().items()},
}

REFUSED = {
    "an empty file": (400, "body is empty", b""),
    "a bomb": (413, "25000000 pixels", png_bomb(15_000, 15_000)),
    "a bomb beyond 62 bits": (413, "25000000 pixels", png_bomb(2**31 - 1, 2**31 - 1)),
    "a BMP that lies": (413, "pixels", scenes()["BMP"][:18] + struct.pack("<ii", 2**31 - 1, 9) + scenes()["BMP"][26:]),
    "a GIF that lies": (413, "pixels", b"GIF89a" + b"\xff" * 4 + bytes(3) + scenes()["GIF"][13:]),
    "a JPEG of 200 scans": (413, "100 scans", jpeg_with_scans(200)),
    "a TIFF of NaN": (422, "aren't finite", encode(Image.fromarray(np.full((28, 28), np.nan, np.float32)), "TIFF")),
}

GRAY = Image.new("L", (1, 1), 51)

ODD = {
    "one pixel": (encode(GRAY, "PNG"), np.full(784, 0.2, np.float32), 0),
    "one column": (encode(GRAY.resize((1, 10_000)), "PNG"), None, 0),
    "one row": (encode(GRAY.resize((10_000, 1)), "JPEG"), None, 0),
    "junk after a PNG": (scenes()["PNG gray"] + b"junk" * 1000, scene_image(), 0),
    "junk after a JPEG": (scenes()["JPEG gray"] + b"junk" * 1000, scene_image(), 0.2),
    "a TIFF of 50 pages": (encode(scene(), "TIFF", save_all=True, append_images=[scene()] * 50), scene_image(), 0),
    **{name: (data, scene_image(), 0 if name.startswith(LOSSLESS) else 0.2) for name, data in scenes().items()},
}

REQUESTS = [
    *(
        Request(name=f"picture, {name}", status=400, words="can't be read as a picture", content=content, headers=PNG)
        for name, content in UNREADABLE.items()
    ),
    *(
        Request(name=f"picture, {name}", status=status, words=words, content=content, headers=PNG)
        for name, (status, words, content) in REFUSED.items()
    ),
    *(
        Request(name=f"picture, {name}", status=200, images=images, tolerance=tolerance, content=content, headers=PNG)
        for name, (content, images, tolerance) in ODD.items()
    ),
]
