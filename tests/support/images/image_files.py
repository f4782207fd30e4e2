"""Makes image files for tests: one scene in every format and mode that the service reads."""

import io
from functools import cache

import numpy as np
import pillow_heif
from PIL import Image

# Bright in the upper left quarter only: any turn or flip of it shows.
SCENE_SHAPE = (28, 28)


def scene(size=28):
    """Return an 8-bit gray picture that is white in its upper left quarter and black elsewhere."""
    pixels = np.zeros((size, size), np.uint8)
    pixels[: size // 2, : size // 2] = 255
    return Image.fromarray(pixels)


def scene_image():
    """Return the scene as the array a model takes."""
    return np.asarray(scene(), dtype=np.float32) / 255


def encode(picture, file_format, **options):
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def transparent(mode):
    """Return the scene as opaque white ink on nothing, in a mode with an alpha channel."""
    ink = Image.new("L", SCENE_SHAPE, 255)
    bands = [ink, scene()] if mode in {"LA", "PA"} else [ink, ink, ink, scene()]
    return Image.merge("LA" if mode in {"LA", "PA"} else "RGBA", bands).convert(mode)


def palette_with_transparency():
    """Return the scene as a palette picture whose second color, red, is transparent."""
    picture = Image.fromarray(np.asarray(scene()) // 255 ^ 1).convert("P")
    picture.putpalette([255, 255, 255, 255, 0, 0])
    return picture


def upside_down_with_exif(file_format):
    """Return the scene stored upside down, with the EXIF orientation that corrects it."""
    exif = Image.Exif()
    exif[0x0112] = 3
    return encode(scene().transpose(Image.Transpose.ROTATE_180), file_format, exif=exif)


def exif_block(*, orientation):
    """Return EXIF that holds an orientation and nothing else."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def heic(picture, **options):
    """Return a picture as a HEIC file."""
    pillow_heif.register_heif_opener()
    return encode(picture, "HEIF", quality=95, **options)


def sideways_with_exif():
    """Return a JPEG of a wide scene stored on its side, as a phone does, and the upright picture."""
    upright = scene(56).resize((84, 56))
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95), upright


def animation(file_format):
    """Return an animation whose first frame is the scene, and whose second is all white."""
    return encode(
        scene().convert("RGB"), file_format, save_all=True, append_images=[Image.new("RGB", SCENE_SHAPE, "white")]
    )


@cache
def scenes():
    """Return files by name, each of which shows the scene, exactly or nearly."""
    gray, color = scene(), scene().convert("RGB")
    levels = np.asarray(gray, np.uint16) * 257
    return {
        "PNG gray": encode(gray, "PNG"),
        "PNG color": encode(color, "PNG"),
        "PNG 1-bit": encode(gray.convert("1"), "PNG"),
        "PNG 16-bit": encode(Image.fromarray(levels), "PNG"),
        "PNG palette": encode(gray.convert("P"), "PNG"),
        "PNG palette with transparency": encode(palette_with_transparency(), "PNG", transparency=1),
        "PNG palette with alpha of each color": encode(palette_with_transparency(), "PNG", transparency=b"\xff\x00"),
        "PNG LA": encode(transparent("LA"), "PNG"),
        "PNG RGBA": encode(transparent("RGBA"), "PNG"),
        "PNG with a transparent gray": encode(gray, "PNG", transparency=7),
        "PNG upside down": upside_down_with_exif("PNG"),
        "PNG animated": animation("PNG"),
        "JPEG gray": encode(gray, "JPEG", quality=95),
        "JPEG color": encode(color, "JPEG", quality=95),
        "JPEG progressive": encode(color, "JPEG", quality=95, progressive=True),
        "JPEG CMYK": encode(color.convert("CMYK"), "JPEG", quality=95),
        "JPEG upside down": upside_down_with_exif("JPEG"),
        "WebP lossless": encode(color, "WEBP", lossless=True),
        "WebP lossy": encode(color, "WEBP", quality=95),
        "WebP RGBA": encode(transparent("RGBA"), "WEBP", lossless=True),
        "WebP animated": animation("WEBP"),
        "GIF": encode(gray, "GIF"),
        "GIF with transparency": encode(palette_with_transparency(), "GIF", transparency=1),
        "GIF animated": animation("GIF"),
        "BMP": encode(color, "BMP"),
        "BMP 1-bit": encode(gray.convert("1"), "BMP"),
        "TIFF": encode(color, "TIFF"),
        "TIFF compressed": encode(color, "TIFF", compression="tiff_lzw"),
        "TIFF CMYK": encode(color.convert("CMYK"), "TIFF"),
        "TIFF 16-bit": encode(Image.fromarray(levels), "TIFF"),
        "TIFF 16-bit big-endian": encode(Image.fromarray(levels.astype(">u2")), "TIFF"),
        "TIFF floats": encode(Image.fromarray(levels.astype(np.float32) / 65535), "TIFF"),
        "TIFF upside down": upside_down_with_exif("TIFF"),
        "AVIF": encode(color, "AVIF", quality=95),
        "AVIF RGBA": encode(transparent("RGBA"), "AVIF", quality=95),
        "AVIF upside down": upside_down_with_exif("AVIF"),
        "AVIF animated": animation("AVIF"),
        "HEIC": heic(color),
        "HEIC RGBA": heic(transparent("RGBA")),
        "HEIC upside down": heic(
            scene().transpose(Image.Transpose.ROTATE_180).convert("RGB"), exif=exif_block(orientation=3)
        ),
    }
