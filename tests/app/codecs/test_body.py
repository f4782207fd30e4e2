"""`app.codecs.body`: bodies are read under a limit, and decompressed under the same."""

import asyncio
import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codecs.body import read_body
from app.errors import MalformedBodyError, TooLargeError, UnsupportedContentError
from tests.support.limits import make_limits

LIMIT = 1000

PIECE_BYTES = 64 * 1024


class Stream:
    """A body in chunks that counts the chunks read."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.taken = 0

    async def __aiter__(self):
        for chunk in self.chunks:
            self.taken += 1
            yield chunk


def read(*chunks, length=None, encoding=None, limit=LIMIT, reserve=lambda _: None):
    """Read a body of these chunks."""
    return read_stream(Stream(*chunks), length=length, encoding=encoding, limit=limit, reserve=reserve)


def read_stream(stream, *, length=None, encoding=None, limit=LIMIT, reserve=lambda _: None):
    """Read a body from this stream."""
    limits = make_limits(max_body_bytes=limit)
    return asyncio.run(
        read_body(aiter(stream), content_length=length, content_encoding=encoding, limits=limits, reserve=reserve)
    )


def deflate_raw(data):
    """Compress without a zlib header."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


COMPRESSORS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "deflate raw": deflate_raw}
each_compressor = pytest.mark.parametrize(("name", "compress"), COMPRESSORS.items(), ids=COMPRESSORS)


@pytest.mark.parametrize("chunks", [(), (b"",), (b"abc",), (b"a", b"", b"bc")])
@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_read_joins_chunks(chunks, encoding):
    """A body without an encoding is its chunks, joined."""
    assert read(*chunks, encoding=encoding) == b"".join(chunks)


def test_read_of_a_body_at_the_limit():
    """A body of exactly the limit is read, whether or not its length was declared."""
    body = bytes(LIMIT)

    assert read(body) == body
    assert read(body, length=str(LIMIT)) == body
    assert read(body, length=f"00{LIMIT}") == body


def test_read_stops_at_the_limit():
    """A body without a declared length is refused at the chunk that passes the limit, not at its end."""
    stream = Stream(*[bytes(400)] * 10)

    with pytest.raises(TooLargeError, match="1000 bytes"):
        read_stream(stream)

    assert stream.taken == 3


@pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 5000])
def test_read_when_the_declared_length_is_over_the_limit(length):
    """A declared length over the limit is refused before anything is read."""
    stream = Stream(b"abc")

    with pytest.raises(TooLargeError, match="1000 bytes"):
        read_stream(stream, length=length)

    assert stream.taken == 0


def test_read_when_the_declared_length_lies():
    """The bytes are counted even if a smaller length was declared."""
    with pytest.raises(TooLargeError):
        read(bytes(LIMIT), b"x", length="3")


@pytest.mark.parametrize("length", ["", "-1", "1e3", "abc", "\u0661", "1, 1"])
def test_read_when_the_declared_length_is_no_number(length):
    """A length that isn't decimal digits is refused."""
    with pytest.raises(MalformedBodyError, match="Content-Length"):
        read(b"abc", length=length)


@each_compressor
def test_read_undoes_the_encoding(name, compress):
    """Compressed bodies are decompressed to the original, in whatever chunks they arrive."""
    body = bytes(range(250)) * 4
    compressed = compress(body)
    pieces = [compressed[start:stop] for start, stop in pairwise([0, 1, 2, 11, len(compressed)])]

    assert read(*pieces, encoding=name.partition(" ")[0].upper()) == body


@given(st.binary(max_size=LIMIT))
def test_read_undoes_every_body(body):
    """Any body survives each of the encodings."""
    for name, compress in COMPRESSORS.items():
        assert read(compress(body), encoding=name.partition(" ")[0], limit=2 * LIMIT) == body


def test_read_of_a_gzip_body_of_several_members():
    """Members of a gzip file that follow one another are one body (RFC 1952)."""
    assert read(gzip.compress(b"ab") + gzip.compress(b"c"), encoding="gzip") == b"abc"


def test_read_of_a_gzip_body_of_too_many_members():
    """A body of hundreds of tiny gzip members, which would take long to decompress, is refused."""
    with pytest.raises(MalformedBodyError, match="more after the end"):
        read(gzip.compress(b"") * 17, encoding="gzip")


@each_compressor
def test_read_of_a_body_that_inflates_to_the_limit(name, compress):
    """A body may decompress to exactly the limit, and not to a byte more."""
    encoding = name.partition(" ")[0]

    assert read(compress(bytes(LIMIT)), encoding=encoding) == bytes(LIMIT)
    with pytest.raises(TooLargeError):
        read(compress(bytes(LIMIT + 1)), encoding=encoding)


@each_compressor
def test_read_takes_room_for_each_piece(name, compress):
    """Memory is reserved piece by piece while a body is decompressed, as much as it takes in the end."""
    for length in (10, 3 * PIECE_BYTES):
        reservations = []

        body = read(compress(bytes(length)), encoding=name.partition(" ")[0], limit=10**7, reserve=reservations.append)

        assert body == bytes(length)
        assert sum(reservations) == length
        assert max(reservations) <= PIECE_BYTES


@each_compressor
def test_read_of_a_bomb_inflates_no_more_than_the_limit(name, compress, monkeypatch):
    """Decompressing a body of a thousand times its size stops within a piece of the limit."""
    bomb = compress(bytes(10_000_000))
    sizes = []
    decompressobj = zlib.decompressobj

    class Spy:
        def __init__(self, *args):
            self.inner = decompressobj(*args)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def decompress(self, data, max_length):
            output = self.inner.decompress(data, max_length)
            sizes.append(len(output))
            return output

    monkeypatch.setattr(zlib, "decompressobj", Spy)

    with pytest.raises(TooLargeError):
        read(bomb, encoding=name.partition(" ")[0], limit=100_000)

    assert max(sizes) <= PIECE_BYTES
    assert 100_000 < sum(sizes) <= 100_000 + PIECE_BYTES


@each_compressor
@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[: len(data) // 2], lambda _: b""])
def test_read_of_a_truncated_compressed_body(name, compress, damage):
    """Compressed data that stops before its end is refused, as is none at all."""
    with pytest.raises(MalformedBodyError, match="cut short"):
        read(damage(compress(bytes(range(200)))), encoding=name.partition(" ")[0])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_read_of_a_body_that_is_not_compressed(encoding):
    """Plain data under a declared encoding is refused."""
    with pytest.raises(MalformedBodyError, match=f"isn't valid {encoding}"):
        read(b"\x89PNG\r\n\x1a\n", encoding=encoding)


@each_compressor
def test_read_of_a_compressed_body_with_trailing_bytes(name, compress):
    """Bytes after the end of the compressed data are refused."""
    with pytest.raises(MalformedBodyError):
        read(compress(b"abc") + b"more", encoding=name.partition(" ")[0])


def test_read_of_a_deflate_body_of_two_streams():
    """Unlike gzip's members, two streams of deflate aren't one body."""
    with pytest.raises(MalformedBodyError, match="more after the end"):
        read(zlib.compress(b"ab") + zlib.compress(b"c"), encoding="deflate")


def test_read_checks_the_checksum():
    """A gzip body whose checksum is wrong is refused."""
    compressed = bytearray(gzip.compress(b"abc"))
    compressed[-8] ^= 1

    with pytest.raises(MalformedBodyError):
        read(bytes(compressed), encoding="gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, identity", "x" * 500, "\udcff"])
def test_read_of_another_encoding(encoding):
    """Another encoding, or two, is refused before the body is read; the error names what works, briefly."""
    stream = Stream(b"abc")

    with pytest.raises(UnsupportedContentError, match="expected gzip or deflate") as caught:
        read_stream(stream, encoding=encoding)

    assert stream.taken == 0
    assert len(str(caught.value)) < 150
