"""Hostile and odd image files, each with the expected response."""

import struct
import zlib

import numpy as np
from PIL import Image

from tests.hostile.base import PNG, Request
from tests.support.images.damaged_images import jpeg_with_scans, png_bomb, png_chunk
from tests.support.images.image_files import encode, scene, scene_image, scenes
from tests.support.images.tiff_files import float_tiff, tiff

# Compressed once and lossless: what comes out of these is the scene to the last bit.
LOSSLESS = ("PNG", "BMP", "WebP lossless", "WebP RGBA", "GIF", "TIFF")

HEADER_END = 33
"""Offset of the first chunk after a PNG's header."""


def with_chunk(kind, data):
    """Return the scene as a PNG with a chunk of metadata."""
    png = scenes()["PNG gray"]
    return png[:HEADER_END] + png_chunk(kind, data) + png[HEADER_END:]


def damaged():
    """Return the scene as a PNG, a bit of which is wrong."""
    png = bytearray(scenes()["PNG gray"])
    png[HEADER_END + 10] ^= 1
    return bytes(png)


def with_size(heif, width, height):
    """Return an AVIF or HEIC file whose header announces another size than its coded image."""
    at = heif.index(b"ispe") + 8
    return heif[:at] + struct.pack(">II", width, height) + heif[at + 8 :]


def tiled(width, height):
    """Return a small TIFF in one tile, which is as large as announced."""
    return tiff(bytes(784), 8, tags=[(322, 4, [width]), (323, 4, [height]), (324, 4, [8])])


def tiff_of_jpeg(jpeg):
    """Return a TIFF that holds a JPEG file as its only strip."""
    return tiff(jpeg, 8).replace(b"\3\1\3\0\1\0\0\0\1", b"\3\1\3\0\1\0\0\0\7")


INFLATED = zlib.compress(bytes(20_000_000))

TWELVE_BITS = scenes()["JPEG gray"].replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c")

PROGRESSIVE = scenes()["JPEG progressive"]

UNREADABLE_WORDS = "can't be read as an image file"

UNREADABLE = {
    "text": b"hello",
    "no pixels": png_bomb(0, 0),
    "no columns": png_bomb(0, 28),
    "fewer pixels than announced": png_bomb(2000, 2000),
    "a wrong bit": damaged(),
    "HEIC with a wrong size": with_size(scenes()["HEIC"], 9000, 9000),
    "WebP with a wrong size": scenes()["WebP lossy"][:24] + b"\xff" * 6 + scenes()["WebP lossy"][30:],
    "a JPEG cut at 60 %": scenes()["JPEG gray"][:270],
    "a JPEG cut two bytes before its end marker": scenes()["JPEG gray"][:-4],
    "a JPEG without its last scan": PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")],
    **{f"half of {name}": data[: len(data) // 2] for name, data in scenes().items()},
}

REFUSED = {
    "SVG": (400, "body is an SVG drawing: send an image file", b"<svg/>"),
    "PDF": (400, "body is a PDF document: send an image file", b"%PDF-1.7"),
    "ICO": (400, "body is an icon: send an image file", encode(scene(), "ICO")),
    "an empty file": (400, "body is empty", b""),
    "a bomb": (413, "25000000 pixels", png_bomb(15_000, 15_000)),
    "a bomb beyond 62 bits": (413, "25000000 pixels", png_bomb(2**31 - 1, 2**31 - 1)),
    "a BMP that lies": (413, "pixels", scenes()["BMP"][:18] + struct.pack("<ii", 2**31 - 1, 9) + scenes()["BMP"][26:]),
    "a GIF that lies": (413, "pixels", b"GIF89a" + b"\xff" * 4 + bytes(3) + scenes()["GIF"][13:]),
    "an AVIF that lies": (413, "pixels", with_size(scenes()["AVIF"], 9000, 9000)),
    "a TIFF of floats to 255": (422, "outside 0 to 1, such as 255.0", float_tiff(scene_image() * 255, 32)),
    "a TIFF of signed integers": (422, "signed integers of 8 bits", tiff(bytes(784), 8, sample_format=2)),
    "a TIFF of one huge tile": (413, "pixels", tiled(2**20, 2**20)),
    "a TIFF of JPEG with 200 scans": (413, "100 scans", tiff_of_jpeg(jpeg_with_scans(200))),
    "a JPEG of 12 bits": (
        422,
        "12 bits a channel",
        TWELVE_BITS,
    ),
    "a JPEG of 200 scans": (413, "100 scans", jpeg_with_scans(200)),
    "a TIFF of NaN": (422, "aren't finite", encode(Image.fromarray(np.full((28, 28), np.nan, np.float32)), "TIFF")),
}

GRAY = Image.new("L", (1, 1), 51)

ODD = {
    "one pixel": (encode(GRAY, "PNG"), np.full(784, 0.2, np.float32), 0),
    "one column": (encode(GRAY.resize((1, 10_000)), "PNG"), None, 0),
    "one row": (encode(GRAY.resize((10_000, 1)), "JPEG"), None, 0),
    "text that inflates": (with_chunk(b"zTXt", b"a\0\0" + INFLATED), scene_image(), 0),
    "a color profile that inflates": (with_chunk(b"iCCP", b"a\0\0" + INFLATED), scene_image(), 0),
    "junk after a PNG": (scenes()["PNG gray"] + b"junk" * 1000, scene_image(), 0),
    "junk after a JPEG": (scenes()["JPEG gray"] + b"junk" * 1000, scene_image(), 0.2),
    "a JPEG without its end marker": (scenes()["JPEG gray"][:-2], scene_image(), 0.2),
    "a progressive JPEG with half of its end marker": (PROGRESSIVE[:-1], scene_image(), 0.2),
    "a TIFF of 50 pages": (encode(scene(), "TIFF", save_all=True, append_images=[scene()] * 50), scene_image(), 0),
    **{name: (data, scene_image(), 0 if name.startswith(LOSSLESS) else 0.2) for name, data in scenes().items()},
}

REQUESTS = [
    *(
        Request(
            name=f"image file, {name}", status=400, words="can't be read as an image file", content=content, headers=PNG
        )
        for name, content in UNREADABLE.items()
    ),
    *(
        Request(name=f"image file, {name}", status=status, words=words, content=content, headers=PNG)
        for name, (status, words, content) in REFUSED.items()
    ),
    *(
        Request(
            name=f"image file, {name}", status=200, images=images, tolerance=tolerance, content=content, headers=PNG
        )
        for name, (content, images, tolerance) in ODD.items()
    ),
]
