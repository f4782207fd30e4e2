"""Image files of rare kinds: read at the levels that they declare, or refused in a sentence that says what works."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from app.codecs.image_files import ImageFile, decode_images
from app.errors import InvalidValueError, MalformedBodyError, TooLargeError
from tests.support.images.image_files import encode, scene, scene_image, scenes
from tests.support.images.rare_image_files import ARITHMETIC_JPEG, AVIF_10_BIT, AVIF_12_BIT, bmp, bmps, gifs
from tests.support.limits import make_limits
from training.config import ModelConfig

READABLE = "file, of PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF and HEIC"


def decode(data, **limits):
    """Return the image in a file."""
    (image,) = decode_images([ImageFile("body", data)], model=ModelConfig(), limits=make_limits(**limits), invert=False)
    return image


def deep_heic(bits):
    """Return the scene as a HEIC file of 10 or 12 bits a channel."""
    levels = np.repeat(np.asarray(scene(), np.uint16) * 257, 3).tobytes()
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
        pillow_heif.from_bytes(mode="RGB;16", size=(28, 28), data=levels).save(file, quality=95)
    return file.getvalue()


def lying_avif(*, frame, announced, **options):
    """Return an AVIF whose frames are larger than the picture that it announces."""
    data = encode(Image.new("RGB", frame, "white"), "AVIF", **options)
    return data.replace(b"ispe" + struct.pack(">III", 0, *frame), b"ispe" + struct.pack(">III", 0, *announced))


@pytest.mark.parametrize("name", [*bmps(), *gifs()])
def test_bmp_and_gif_show_the_scene(name):
    """Every depth, palette, compression and frame that is read gives exactly the levels that it declares."""
    np.testing.assert_array_equal(decode((bmps() | gifs())[name]), scene_image())


@pytest.mark.parametrize("data", [ARITHMETIC_JPEG, AVIF_10_BIT, AVIF_12_BIT], ids=["JPEG", "10 bits", "12 bits"])
def test_arithmetic_jpeg_and_deep_avif_show_the_scene(data):
    """Arithmetic coding and 10 or 12 bits a channel are read like common files."""
    np.testing.assert_allclose(decode(data), scene_image(), atol=0.02)


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_heic_shows_the_scene(bits):
    """HEIC of 10 and 12 bits a channel is read."""
    np.testing.assert_allclose(decode(deep_heic(bits)), scene_image(), atol=0.02)


def test_first_picture_of_an_mpo_is_read():
    """A stereo JPEG gives its first picture."""
    data = encode(scene().convert("RGB"), "MPO", save_all=True, append_images=[Image.new("RGB", (28, 28), "white")])

    np.testing.assert_allclose(decode(data), scene_image(), atol=0.1)


@pytest.mark.parametrize("marker", [b"\xff\xc0", b"\xff\xc1"])
def test_jpeg_of_12_bits_is_refused(marker):
    """A JPEG of 12 bits a channel is refused and named."""
    data = encode(scene(), "JPEG")
    at = data.index(b"\xff\xc0")
    deep = data[:at] + marker + data[at + 2 : at + 4] + b"\x0c" + data[at + 5 :]

    with pytest.raises(InvalidValueError, match="is a JPEG of 12 bits a channel: expected 8; save it as an 8-bit JPEG"):
        decode(deep)


@pytest.mark.parametrize(
    "data",
    [
        *(encode(scene().convert("RGB"), name) for name in ("ICO", "PPM", "TGA", "PCX", "JPEG2000", "DDS", "PDF")),
        b"8BPS\0\1" + bytes(100),
        b"\xff\x0a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        bmp(bytes(2 * 784), 16, compression=3, header=struct.pack("<IIII", 0xF00, 0xF0, 0xF, 0xF000) + bytes(52)),
        bmp(bytes(8 * 784), 64),
    ],
    ids=[*("ICO", "PPM", "TGA", "PCX", "JPEG 2000", "DDS", "PDF"), "PSD", "JPEG XL", "SVG", "BMP 4444", "BMP 64 bits"],
)  # fmt: skip
def test_other_files_are_refused_with_what_works(data):
    """A file of another kind is refused, and the sentence names the formats that are read."""
    with pytest.raises(MalformedBodyError, match=READABLE):
        decode(data)


@pytest.mark.parametrize("options", [{}, {"save_all": True, "append_images": [Image.new("RGB", (300, 200))]}])
def test_avif_frame_beyond_the_announced_size_counts(options):
    """The limit of pixels counts the AV1 frame that is decoded, not the size that the file announces."""
    data = lying_avif(frame=(300, 200), announced=(28, 28), **options)

    with pytest.raises(TooLargeError, match="to more than 59999 pixels"):
        decode(data, max_pixels=59_999)


@pytest.mark.parametrize("name", ["AVIF", "AVIF RGBA", "AVIF animated"])
def test_honest_avif_counts_once(name):
    """Alpha and further frames don't count: a picture as large as the limit is read."""
    np.testing.assert_allclose(decode(scenes()[name], max_pixels=784), scene_image(), atol=0.1)


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_cut_avif_is_refused(cut):
    """An AVIF that ends early, anywhere, is malformed."""
    data = scenes()["AVIF"]

    with pytest.raises(MalformedBodyError, match=READABLE):
        decode(data[: len(data) - 1 - cut] if cut < len(data) - 1 else b"\0")
