"""`app.codecs.multipart`: multipart forms give their files, and nothing is lost or ignored silently."""

import asyncio
from contextlib import nullcontext, suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codecs.multipart import parse_form, parse_named_files
from app.codecs.payload import parse_payload
from app.codecs.payload_arrays import images_from
from app.errors import InvalidValueError, MalformedBodyError, RequestError, TooLargeError, UnsupportedContentError
from tests.support.images.image_files import encode, scene, scene_image
from tests.support.limits import make_limits
from training.config import ModelConfig

TYPE = "multipart/form-data; boundary=edge"
MODEL, LIMITS = ModelConfig(), make_limits()
END = b"--edge--\r\n"
PNG = encode(scene(), "PNG")


def part(data, name="files", filename="a.png"):
    """Return a part of a form: a file, or text if it has no filename."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def parse(body, content_type=TYPE, limits=None):
    """Return the files of a form."""
    return asyncio.run(parse_form(body, content_type=content_type, limits=limits or make_limits(max_images=5)))


def fault(caught):
    """Return where and why of the only wrong value."""
    (error,) = caught.value.errors
    return error.where, error.why


@pytest.mark.parametrize("count", [1, 2, 5])
def test_parse_returns_the_files_in_order(count):
    """Each file is returned with its bytes and path."""
    body = b"".join(part(bytes([index]) * 9) for index in range(count)) + END

    files = parse(body)

    assert [file.data for file in files] == [bytes([index]) * 9 for index in range(count)]
    assert [file.where for file in files] == [f"body.files[{index}]" for index in range(count)]


@pytest.mark.parametrize("size", [0, 2**16 - 100, 3 * 2**20])
def test_parse_of_files_of_any_size(size):
    """Files of any size are returned whole, also in several pieces and with lines that look like boundaries."""
    data = (bytes(range(256)) * (size // 256 + 1))[:size] + b"\r\n--edg\r\n--edgf--\r\n"

    files = parse(part(data) + part(b"x") + END)

    assert [file.data for file in files] == [data, b"x"]


def test_parse_of_quoted_boundary_and_odd_filename():
    """The boundary may be quoted, and a file's name doesn't matter, not even an empty one."""
    body = part(b"a", filename="") + part(b"b", filename="../../é\\x") + END

    files = parse(body, 'Multipart/Form-Data; charset=utf-8; boundary="edge"')

    assert [file.data for file in files] == [b"a", b"b"]


@pytest.mark.parametrize(
    "parameters",
    ["; filename*=utf-8''a.png", ";FileName* = UTF-8''%E2%82%AC.png", "; filename*0=a; filename*1*=.png"],
)
def test_parse_of_extended_filename(parameters):
    """A part whose filename is in the form of RFC 5987 alone is a file, as one with a plain one is."""
    body = part(b"a").replace(b'; filename="a.png"', parameters.encode()) + part(b"b") + END

    assert [file.data for file in parse(body)] == [b"a", b"b"]


@pytest.mark.parametrize("name", ["files; filename*=x", 'files\\"; filename*=x'])
def test_parse_of_extended_filename_in_quotes(name):
    """A filename within the quoted name of the field is no filename."""
    with pytest.raises(InvalidValueError, match="has the text field"):
        parse(part(b"a", name=name, filename=None) + END)


@pytest.mark.parametrize("count", [5, 6])
def test_parse_counts_files_of_extended_filenames(count):
    """They count as files, whose number has a limit."""
    body = part(b"a").replace(b"filename=", b"filename*=") * count + END

    with pytest.raises(TooLargeError, match="send at most 5") if count == 6 else nullcontext():
        assert len(parse(body)) == count


def encoded(encoding, name="files"):
    """Return a form of one part with a Content-Transfer-Encoding."""
    header = f"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    return part(b"a", name=name).replace(b"\r\n\r\n", header) + END


@pytest.mark.parametrize("encoding", ["7bit", "8BIT", "binary", ""])
def test_parse_of_encoding_that_changes_nothing(encoding):
    """An encoding that leaves the bytes as they are doesn't matter."""
    assert [file.data for file in parse(encoded(encoding))] == [b"a"]


@pytest.mark.parametrize("encoding", ["base64", "Base64", "quoted-printable", "x" * 1000])
def test_parse_of_encoded_part(encoding):
    """A part of which another encoding is declared is refused for that, not for its content."""
    words = r"Content-Transfer-Encoding '.*: expected the file's bytes as they are; send it decoded"

    with pytest.raises(UnsupportedContentError, match=rf"body\.files\[0\] has {words}") as caught:
        parse(encoded(encoding))
    with pytest.raises(UnsupportedContentError, match=rf"body\.checkpoint has {words}"):
        asyncio.run(
            parse_named_files(
                encoded(encoding, "checkpoint"), content_type=TYPE, limits=make_limits(), names=("checkpoint",)
            )
        )

    assert len(str(caught.value)) < 220


def test_images_of_a_form():
    """A form's pictures become images, in order; `invert` applies to them."""
    body = part(PNG) + part(encode(scene(), "BMP"), filename="b.txt") + END

    payload = asyncio.run(parse_payload(body, content_type=TYPE, field="images", model=MODEL, limits=LIMITS))
    images = images_from(payload, model=MODEL, limits=LIMITS, invert=True)

    assert payload.options == {}
    np.testing.assert_array_equal(images, [1 - scene_image().ravel()] * 2)


def test_images_of_a_form_with_a_broken_picture():
    """The picture that can't be decoded is named."""
    payload = asyncio.run(
        parse_payload(part(PNG) + part(b"") + END, content_type=TYPE, field="images", model=MODEL, limits=LIMITS)
    )

    with pytest.raises(MalformedBodyError, match=r"body\.files\[1\] is empty"):
        images_from(payload, model=MODEL, limits=LIMITS, invert=False)


def test_images_of_a_form_over_the_limit():
    """The limit given with the model counts too, if it is lower than the one the form was parsed under."""
    payload = asyncio.run(
        parse_payload(part(PNG) * 3 + END, content_type=TYPE, field="images", model=MODEL, limits=LIMITS)
    )

    with pytest.raises(TooLargeError, match=r"body\.files holds 3 items: send at most 2"):
        images_from(payload, model=ModelConfig(), limits=make_limits(max_images=2), invert=False)


@pytest.mark.parametrize("count", [6, 7, 500])
def test_parse_of_too_many_files(count):
    """More files than the limit are too large, however many."""
    with pytest.raises(TooLargeError, match="send at most 5"):
        parse(part(b"x") * count + END)


@pytest.mark.parametrize(
    ("body", "where", "why"),
    [
        (part(b"x", name="file") + END, "body", "has a file in the field 'file': send it in the field files"),
        (
            part(b"x") + part(b"7", name="seed", filename=None) + END,
            "body",
            "has the text field 'seed': expected only files, in the field files; options go into the query",
        ),
        (part(b"text", filename=None) + END, "body.files[0]", "is text: expected a file"),
        (part(b"x") + part(b"text" * 2**19, filename=None) + END, "body.files[1]", "is text: expected a file"),
        (END, "body.files", "is missing: expected one or more image files"),
        (part(b"1", name="a", filename=None) * 17 + END, "body", "has text fields: expected only files"),
        (part(b"x", name="n" * 3000) + END, "body", "has a file in the field 'nnnn"),
    ],
    ids=["other name", "an option", "text", "long text", "nothing", "many texts", "long name"],
)
def test_parse_of_other_fields(body, where, why):
    """A form holds files under `files` and nothing else; what is wrong is named, in part."""
    with pytest.raises(InvalidValueError) as caught:
        parse(body)

    assert len(str(caught.value)) < 180
    assert fault(caught)[0] == where
    assert fault(caught)[1].startswith(why)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"edge",
        b"--edge",
        PNG,
        part(b"x"),
        part(b"x") + b"--edge",
        (part(b"x") + part(PNG))[:-20],
        part(b"x") + b"--edge\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        part(b"x") + b"--edge\r\n\r\nx\r\n" + END,
        part(b"x") + b"--edge\r\nno header\r\n\r\nx\r\n" + END,
        part(b"x") + b"--edge\r\n" + b"A: b\r\n" * 50 + b"\r\nx\r\n" + END,
        part(b"x") + b"--edge\r\nA: " + b"b" * 9000 + b"\r\n\r\nx\r\n" + END,
    ],
)
def test_parse_of_broken_form(body):
    """A form that is cut short, even between two parts, or has unreadable headers is refused."""
    with pytest.raises(MalformedBodyError, match="multipart"):
        parse(body)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300],
)
def test_parse_without_a_usable_boundary(content_type):
    """A form whose content type gives no boundary, or one too long, is refused."""
    with pytest.raises(MalformedBodyError, match="multipart"):
        parse(part(b"x") + END, content_type)


def test_parse_lets_others_run():
    """A long form is parsed in pieces, between which the event loop goes on."""

    async def scenario():
        turns = 0
        task = asyncio.create_task(parse_form(part(bytes(2**21)) + END, content_type=TYPE, limits=make_limits()))
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(scenario()) > 20


@given(st.data())
def test_parse_of_damaged_form_raises_only_request_errors(data):
    """Whatever happens to a form's bytes or its content type, the outcome is files or a `RequestError`."""
    body = bytearray(part(b"first") + part(b"second") + END)
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.sampled_from(b'\r\n-:;="\0\xff aedg'))
    content_type = data.draw(st.just(TYPE) | st.text(max_size=30).map(lambda text: f"multipart/form-data; {text}"))

    with suppress(RequestError):
        assert parse(bytes(body), content_type)
