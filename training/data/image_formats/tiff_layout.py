"""Reads and checks how a TIFF file stores its pixels: depth, interpretation, compression, strips. Decodes nothing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from training.counts import count_of
from training.data.image_formats.tags import read_tags
from training.errors import DataError

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 273, 274, 277, 278, 279
PLANAR, PREDICTOR, COLOR_MAP = 284, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING = 332, 338, 339, 530

CODEC_TAGS: Final = frozenset({292, 293, 347, *range(512, 522), SUBSAMPLING})
"""Tags that the decoders of fax and JPEG need: T4Options, T6Options, JPEGTables, those of old JPEG, subsampling."""

_WANTED: Final = CODEC_TAGS | {
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP),
    *(STRIP_COUNTS, PLANAR, PREDICTOR, COLOR_MAP, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, INK_SET),
    *(EXTRA_SAMPLES, SAMPLE_FORMAT),
}

NONE, LZW, JPEG, OLD_JPEG, WEBP = 1, 5, 7, 6, 50001
LOSSLESS: Final = frozenset({NONE, LZW, 8, 32946, 32773, 34925, 50000})
"""No compression, LZW, deflate (two numbers), PackBits, LZMA and Zstandard."""
FAX: Final = frozenset({2, 3, 4})

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6

_CHANNELS: Final[Mapping[int, int]] = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
_OTHER_PHOTOMETRIC: Final[Mapping[int, str]] = {
    4: "a transparency mask",
    8: "CIE L*a*b* color",
    9: "ICC L*a*b* color",
    10: "ITU L*a*b* color",
    32803: "a color filter array (raw camera data)",
    32844: "logarithmic luminance (LogL)",
    32845: "logarithmic color (LogLuv)",
    34892: "linear raw camera data",
}
_OTHER_FORMATS: Final[Mapping[int, str]] = {2: "signed integers", 5: "complex integers", 6: "complex floats"}
_UINT, _FLOAT, _UNDEFINED = 1, 3, 4

_MAX_PIXEL_BITS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffLayout:
    """Layout of the first page of a TIFF file."""

    order: str
    """`<` or `>`."""
    tags: Mapping[int, tuple[int, ...]]
    width: int
    height: int
    bits: int
    """Of a sample."""
    samples: int
    """Of a pixel: color channels and extra samples."""
    channels: int
    photometric: int
    compression: int
    is_float: bool
    is_planar: bool
    predictor: int
    alpha: int | None
    """1 for associated (premultiplied) alpha, 2 for unassociated; None without alpha."""
    tile: tuple[int, int] | None
    """Width and height of a tile; None for strips."""

    @property
    def stored_width(self) -> int:
        """Width in pixels, the padding of the last tile included."""
        return self.width if self.tile is None else math.ceil(self.width / self.tile[0]) * self.tile[0]

    @property
    def stored_height(self) -> int:
        """Height in pixels, the padding of the last tile included."""
        return self.height if self.tile is None else math.ceil(self.height / self.tile[1]) * self.tile[1]


def read_layout(data: bytes) -> TiffLayout:
    """Return the layout of a file's first page.

    Raises:
        DataError: Its kind of pixel or its compression isn't supported.
        ValueError: A tag is missing or impossible.
        struct.error: The directory is cut short.
    """
    order, tags = read_tags(data, _WANTED)
    width, height = tags.get(WIDTH, (0,))[0], tags.get(HEIGHT, (0,))[0]
    compression = tags.get(COMPRESSION, (NONE,))[0]
    photometric = tags.get(PHOTOMETRIC, (YCBCR if compression == OLD_JPEG else WHITE_IS_ZERO,))[0]
    channels = _count_channels(photometric, tags)
    samples = tags.get(SAMPLES, (1,))[0]
    bits, sample_format = _read_sample(tags)
    if width < 1 or height < 1 or samples < channels:
        raise ValueError("impossible size")
    extra = tags.get(EXTRA_SAMPLES, ())[:1]
    layout = TiffLayout(
        order=order,
        tags=tags,
        width=width,
        height=height,
        bits=bits,
        samples=samples,
        channels=channels,
        photometric=photometric,
        compression=compression,
        is_float=sample_format == _FLOAT,
        is_planar=samples > 1 and tags.get(PLANAR, (1,))[0] == 2,
        predictor=tags.get(PREDICTOR, (1,))[0],
        alpha=extra[0] if extra and samples > channels and extra[0] in {1, 2} else None,
        tile=_read_tile(tags),
    )
    _check_pixels(layout)
    _check_compression(layout)
    return layout


def _count_channels(photometric: int, tags: Mapping[int, tuple[int, ...]]) -> int:
    if photometric not in _CHANNELS:
        refuse_pixels(_OTHER_PHOTOMETRIC.get(photometric, f"photometric interpretation {photometric}"))
    if photometric == CMYK and tags.get(INK_SET, (1,))[0] != 1:
        refuse_pixels("inks other than CMYK")
    return _CHANNELS[photometric]


def _read_sample(tags: Mapping[int, tuple[int, ...]]) -> tuple[int, int]:
    """Return bits and format of all samples."""
    depths, formats = set(tags.get(BITS, (1,))), set(tags.get(SAMPLE_FORMAT, (_UINT,)))
    if len(depths) != 1 or len(formats) != 1:
        refuse_pixels(f"channels of different kinds, of {', '.join(map(str, tags.get(BITS, (1,))))} bits")
    return depths.pop(), formats.pop()


def _read_tile(tags: Mapping[int, tuple[int, ...]]) -> tuple[int, int] | None:
    if TILE_OFFSETS not in tags:
        return None
    width, height = tags[TILE_WIDTH][0], tags[TILE_HEIGHT][0]
    if width < 1 or height < 1 or width % 16 or height % 16:
        raise ValueError("impossible tile")
    return width, height


def _check_pixels(layout: TiffLayout) -> None:
    sample_format = layout.tags.get(SAMPLE_FORMAT, (_UINT,))[0]
    if sample_format not in {_UINT, _FLOAT, _UNDEFINED}:
        kind = _OTHER_FORMATS.get(sample_format, f"sample format {sample_format}")
        refuse_pixels(f"{kind} of {count_of(layout.bits, 'bit')}")
    if layout.is_float and layout.bits not in {16, 32, 64}:
        refuse_pixels(f"floats of {count_of(layout.bits, 'bit')}")
    if not 1 <= layout.bits <= 16 and layout.bits not in {32, 64}:
        refuse_pixels(f"integers of {count_of(layout.bits, 'bit')}")
    if layout.bits * layout.samples > _MAX_PIXEL_BITS:
        refuse_pixels(f"{layout.bits * layout.samples} bits")
    if layout.photometric == PALETTE and (layout.is_float or layout.bits > 8):
        refuse_pixels(f"palette indices of {count_of(layout.bits, 'bit')}")
    subsampling = layout.tags.get(SUBSAMPLING, (2, 2))
    if layout.photometric == YCBCR and layout.compression in LOSSLESS and subsampling != (1, 1):
        refuse_pixels("YCbCr with subsampled colors outside JPEG compression")
    if layout.is_float and layout.photometric in {CMYK, YCBCR}:
        refuse_pixels("floats in another color space than gray or RGB")


def _check_compression(layout: TiffLayout) -> None:
    kind = (layout.bits, layout.photometric, layout.samples)
    eight_bits = {(8, photometric, count) for photometric, count in _CHANNELS.items() if photometric != PALETTE}
    supported = (
        layout.compression in LOSSLESS
        or (layout.compression in FAX and kind in {(1, WHITE_IS_ZERO, 1), (1, BLACK_IS_ZERO, 1)})
        or (layout.compression in {JPEG, OLD_JPEG} and kind in eight_bits and not layout.is_planar)
        or (layout.compression == WEBP and kind in {(8, RGB, 3), (8, RGB, 4)})
    )
    if not supported:
        refuse_pixels(
            f"{count_of(layout.bits, 'bit')}, {layout.samples} a pixel, with compression {layout.compression}"
        )
    has_steps = layout.predictor == 2 and not layout.is_float and layout.bits in {8, 16, 32, 64}
    has_planes = layout.predictor == 3 and layout.is_float
    if layout.compression in LOSSLESS - {NONE} and layout.predictor != 1 and not (has_steps or has_planes):
        refuse_pixels(f"{count_of(layout.bits, 'bit')} with predictor {layout.predictor}")


def refuse_pixels(kind: str) -> NoReturn:
    """Raise a `DataError` that names a kind of pixel."""
    raise DataError(
        f"is a TIFF whose pixels are {kind}: expected gray, RGB, palette, CMYK or YCbCr of unsigned integers, or gray "
        "or RGB of floats from 0 to 1; save it with 8 or 16 bits a channel, or as PNG"
    )
