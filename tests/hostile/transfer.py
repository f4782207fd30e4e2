"""Hostile and odd multipart forms, content encodings and content types: each with what it is answered with."""

import gzip
import zlib
from base64 import b64encode

from tests.hostile.base import IMAGE, JSON, NPY, PIXELS, PNG, Request, images_in_json
from tests.support.app import npy
from tests.support.images.image_files import scene_image, scenes

FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}

FILE = scenes()["PNG gray"]

END = b"--xyz--\r\n"


def part(content=FILE, *, disposition='name="files"; filename="a.png"', headers=""):
    """Return a part of a form."""
    return f"--xyz\r\nContent-Disposition: form-data; {disposition}\r\n{headers}\r\n".encode() + content + b"\r\n"


def form_with_boundary(text):
    """Return headers that name another boundary."""
    return {"Content-Type": b"multipart/form-data; boundary=" + text}


INNER = b'--in\r\nContent-Disposition: file; filename="a.png"\r\n\r\nx\r\n--in--'

BAD_FORMS = {
    "no boundary": (400, "boundary", part() + END, {"Content-Type": "multipart/form-data"}),
    "an empty boundary": (400, "boundary", part() + END, form_with_boundary(b"")),
    "a boundary of 5,000 letters": (400, "boundary", part() + END, form_with_boundary(b"x" * 5000)),
    "a boundary in Latin-1": (400, "boundary", part() + END, form_with_boundary(b"\xe9")),
    "another boundary": (400, "boundary", part() + END, form_with_boundary(b"abc")),
    "nothing": (400, "cut short", b"", FORM),
    "no last boundary": (400, "cut short", part(), FORM),
    "cut in a file": (400, "cut short", part()[:-20], FORM),
    "no form": (400, "isn't a valid multipart form", b"hello", FORM),
    "bare line feeds": (400, "isn't a valid multipart form", part().replace(b"\r\n", b"\n") + END, FORM),
    "a million dashes": (400, "isn't a valid multipart form", b"-" * 1_000_000, FORM),
    "10,000 boundaries": (400, "isn't a valid multipart form", b"--xyz\r\n" * 10_000, FORM),
    "a part without headers": (400, "isn't a valid multipart form", b"--xyz\r\n\r\nx\r\n" + END, FORM),
    "a part without a name": (400, "named parts", part(disposition='filename="a.png"') + END, FORM),
    "a header of 100,000 letters": (400, "valid", part(headers="X-A: " + "a" * 100_000 + "\r\n") + END, FORM),
    "10,000 headers": (400, "isn't a valid multipart form", part(headers="X-A: a\r\n" * 10_000) + END, FORM),
    "10,000 files": (413, "too many files", part(b"") * 10_000 + END, FORM),
    "10,000 fields": (422, "text fields", part(b"", disposition='name="x"') * 10_000 + END, FORM),
    "no files": (422, "body.files is missing", END, FORM),
    "another name": (422, "'file'", part(disposition='name="file"; filename="a.png"') + END, FORM),
    "text as a file": (422, "body.files[0] is text", part(disposition='name="files"') + END, FORM),
    "an option": (422, "'seed'", part() + part(b"7", disposition='name="seed"') + END, FORM),
    "an empty file": (400, "body.files[0] is empty", part(b"") + END, FORM),
    "a second file that is none": (400, "body.files[1] can't be read", part() + part(b"x") + END, FORM),
    "a file in base64": (
        415,
        "body.files[0] has Content-Transfer-Encoding 'base64': expected the file's bytes as they are",
        part(b64encode(FILE), headers="Content-Transfer-Encoding: BASE64\r\n") + END,
        FORM,
    ),
    "a form in a form": (400, "[0] can't", part(INNER, headers="Content-Type: multipart/mixed\r\n") + END, FORM),
}

ODD_FORMS = {
    "a quoted boundary": (part() + END, form_with_boundary(b'"xyz"')),
    "something after the end": (part() + END + b"bye", FORM),
    "a file's name that is a path": (part(disposition='name="files"; filename="../../etc/passwd"') + END, FORM),
    "a file's name with NUL": (part(disposition='name="files"; filename="a\0b"') + END, FORM),
    "a part's own type": (part(headers="Content-Type: text/html\r\n") + END, FORM),
    "a filename in RFC 5987 alone": (part(disposition="name=files; filename*=utf-8''%E2%82%AC.png") + END, FORM),
    "a part's own encoding": (part(headers="Content-Transfer-Encoding: Binary\r\n") + END, FORM),
    "a preamble": (b"This is a multi-part message in MIME format.\r\n" + part() + END, FORM),
    "an empty line before": (b"\r\n" + part() + END, FORM),
}

ARRAY = npy(IMAGE)

BAD_ENCODINGS = {
    "br": (415, "'br'", "br", ARRAY),
    "gzip, twice": (415, "'gzip, gzip'", "gzip, gzip", gzip.compress(gzip.compress(ARRAY))),
    "a name of 1,000 letters": (415, "'xxx", "x" * 1000, ARRAY),
    "gzip, nothing": (400, "cut short", "gzip", b""),
    "gzip, of nothing": (400, "is empty", "gzip", gzip.compress(b"")),
    "gzip, plain data": (400, "isn't valid gzip", "gzip", ARRAY),
    "gzip, a header alone": (400, "isn't valid gzip", "gzip", b"\x1f\x8b" + bytes(50)),
    "gzip, cut": (400, "cut short", "gzip", gzip.compress(ARRAY)[:-3]),
    "gzip, a wrong checksum": (400, "isn't valid gzip", "gzip", gzip.compress(ARRAY)[:-8] + bytes(8)),
    "gzip, a byte after the end": (400, "more after the end", "gzip", gzip.compress(ARRAY) + b"x"),
    "gzip, bytes after the end": (400, "more after the end", "gzip", gzip.compress(ARRAY) + b"xx"),
    "gzip, 1,000 members": (400, "one compressed stream", "gzip", gzip.compress(b"") * 1000),
    "gzip, a bomb": (413, "1048576 bytes", "gzip", gzip.compress(bytes(20_000_000))),
    "gzip, a bomb in a bomb": (400, "npy", "gzip", gzip.compress(gzip.compress(bytes(20_000_000)))),
    "deflate, a bomb": (413, "1048576 bytes", "deflate", zlib.compress(bytes(20_000_000))),
    "deflate, two streams": (400, "one compressed stream", "deflate", zlib.compress(ARRAY) * 2),
}

ODD_ENCODINGS = {
    "gzip": gzip.compress(ARRAY),
    "x-gzip": gzip.compress(ARRAY),
    "GZIP": gzip.compress(ARRAY[:100]) + gzip.compress(ARRAY[100:]),
    "deflate": zlib.compress(ARRAY),
    "Deflate": zlib.compress(ARRAY, wbits=-15),
    "identity": ARRAY,
    "": ARRAY,
}

BAD_TYPES = {
    "none": ("no Content-Type", {}),
    "empty": ("no Content-Type", {"Content-Type": ""}),
    "text/plain": ("'text/plain'", {"Content-Type": "text/plain"}),
    "no slash": ("'json'", {"Content-Type": "json"}),
    "SVG": ("'image/svg+xml'", {"Content-Type": "image/svg+xml"}),
    "multipart/mixed": ("'multipart/mixed'", {"Content-Type": "multipart/mixed; boundary=xyz"}),
    "JSON in UTF-16": ("'utf-16'", {"Content-Type": "application/json; charset=utf-16"}),
    "Latin-1": ("'\\xe9", {"Content-Type": b"\xe9" * 1000}),
    "two": ("'application/json, image/png'", [*JSON.items(), *PNG.items()]),
}

REQUESTS = [
    *(
        Request(name=f"form, {name}", status=status, words=words, content=content, headers=headers)
        for name, (status, words, content, headers) in BAD_FORMS.items()
    ),
    *(
        Request(name=f"form, {name}", status=200, images=scene_image(), content=content, headers=headers)
        for name, (content, headers) in ODD_FORMS.items()
    ),
    *(
        Request(
            name=f"encoding, {name}",
            status=status,
            words=words,
            content=content,
            headers=NPY | {"Content-Encoding": encoding},
        )
        for name, (status, words, encoding, content) in BAD_ENCODINGS.items()
    ),
    *(
        Request(
            name=f"encoding, {name}",
            status=200,
            images=IMAGE,
            content=content,
            headers=NPY | {"Content-Encoding": name},
        )
        for name, content in ODD_ENCODINGS.items()
    ),
    *(
        Request(name=f"type, {name}", status=415, words=words, content=images_in_json(PIXELS), headers=headers)
        for name, (words, headers) in BAD_TYPES.items()
    ),
]
