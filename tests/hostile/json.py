"""Hostile and odd JSON: each body with what it is answered with."""

from tests.hostile.base import IMAGE, JSON, MAX_IMAGES, PIXELS, Request, images_in_json

MALFORMED = {
    "nothing": (b"", "is empty"),
    "white space": (b" \r\n", "input data is empty"),
    "NUL": (b"\0", "line 1, column 1"),
    "NUL after the end": (images_in_json(PIXELS) + b"\0", "content after document"),
    "two documents": (images_in_json(PIXELS) * 2, "content after document"),
    "cut in a list": (images_in_json(PIXELS)[:-2], "unexpected end"),
    "cut in a number": (b'{"images": [0.', "column 15: unexpected end"),
    "cut in a name": (b'{"ima', "unexpected end"),
    "cut in a word": (b'{"sample": tru', "unexpected end"),
    "NaN": (images_in_json(b"[NaN]"), "line 1, column 13"),
    "Infinity": (images_in_json(b"[Infinity]"), "line 1, column 13"),
    "-Infinity": (images_in_json(b"[-Infinity]"), "no digit after sign"),
    "exponent too large": (images_in_json(b"[1e999]"), "infinity"),
    "exponent of twenty digits": (images_in_json(b"[1e99999999999999999999]"), "infinity"),
    "integer of 5,000 digits": (images_in_json(b"[" + b"9" * 5000 + b"]"), "infinity"),
    "option too large": (images_in_json(PIXELS, options=b', "seed": 1e400'), "infinity"),
    "UTF-16": (images_in_json(PIXELS).decode().encode("utf-16"), "UTF-8"),
    "Latin-1": (b'{"images": "\xe9"}', "UTF-8"),
    "overlong slash": (b'{"\xc0\xaf": 1}', "UTF-8"),
    "surrogate in bytes": (b'{"\xed\xa0\x80": 1}', "UTF-8"),
    "lone surrogate": (b'{"images": "\\ud800"}', "surrogate"),
    "lone surrogate in a name": (images_in_json(PIXELS, options=b', "\\udc00": 1'), "surrogate"),
    "trailing comma": (images_in_json(b"[0,]"), "trailing comma"),
    "single quotes": (b"{'images': []}", "expected a string key"),
    "comment": (images_in_json(b"[] /* none */"), "column 15"),
    "leading zero": (images_in_json(b"[01]"), "leading zero"),
    "plus sign": (images_in_json(b"[+1]"), "no digit"),
    "no digit before the point": (images_in_json(b"[.5]"), "no digit"),
    "no digit after the point": (images_in_json(b"[1.]"), "no digit"),
    "hexadecimal": (images_in_json(b"[0x1]"), "column 14"),
    "line break in a string": (b'{"images": "\n"}', "control character"),
    "unknown escape": (b'{"images": "\\x41"}', "escape"),
    "a hundred thousand lists": (images_in_json(b"[" * 100_000), "depth limit"),
    "two thousand lists": (images_in_json(b"[" * 2000 + b"]" * 2000), "depth limit"),
    "five thousand objects": (b'{"a":' * 5000 + b"1" + b"}" * 5000, "depth limit"),
    "a thousand levels beside a string": (
        images_in_json(b"[" * 1000 + b"]" * 1000, options=b', "seed": "x"'),
        "nested too deeply",
    ),
    "a form's text": (b"images=1", "line 1, column 1"),
    "no file": (images_in_json(b'""'), "body.images is empty"),
    "a number as text": (images_in_json(b'["0.5"]'), "body.images[0] is '0.5'"),
    "a URL": (images_in_json(b'"http://127.0.0.1/x.png"'), "no other URL"),
    "a file's URL": (images_in_json(b'"file:///etc/passwd"'), "no other URL"),
    "a data: URL without base64": (images_in_json(b'"data:image/svg+xml,<svg/>"'), "in base64"),
    "base64 of text": (images_in_json(b'"aGVsbG8="'), "can't be read as an image file"),
}

WRONG = {
    "a name twice": (b'{"images": 1, "images": ' + PIXELS + b"}", "body.images is given twice"),
    "an option twice": (
        images_in_json(PIXELS, options=b', "invert": true, "invert": false'),
        "body.invert is given twice",
    ),
    "a list": (b"[]", "body is a list"),
    "a number": (b"1", "body is a number"),
    "null": (b"null", "body is null"),
    "a string": (b'"x"', "body is a string"),
    "true": (b"true", "body is a boolean"),
    "no images": (b"{}", "body.images is missing"),
    "another name": (b'{"image": []}', "body.images is missing"),
    "images null": (images_in_json(b"null"), "body.images is null"),
    "images true": (images_in_json(b"true"), "body.images is a boolean"),
    "images an object": (images_in_json(b"{}"), "body.images is an object"),
    "images empty": (images_in_json(b"[]"), "body.images holds no images: expected at least one"),
    "an image empty": (images_in_json(b"[[]]"), "(1, 0)"),
    "five levels": (images_in_json(b"[[[[[0]]]]]"), "nested deeper than 4"),
    "five hundred levels": (images_in_json(b"[" * 500 + b"]" * 500), "nested deeper than 4"),
    "null among pixels": (images_in_json(PIXELS.replace(b"1.0]", b"null]")), "body.images[783] is null"),
    "true among pixels": (images_in_json(PIXELS.replace(b"1.0]", b"true]")), "body.images[783] is a boolean"),
    "an object among pixels": (images_in_json(PIXELS.replace(b"1.0]", b"{}]")), "body.images[783] is an object"),
    "a number among images": (images_in_json(b"[" + PIXELS + b", 1]"), "body.images[1] is a number"),
    "images of two lengths": (images_in_json(b"[" + PIXELS + b", [0]]"), "expected a list of 784"),
    "a pixel too few": (images_in_json(b"[" + b"0," * 782 + b"0]"), "(783,)"),
    "a pixel of 255": (images_in_json(PIXELS.replace(b"1.0]", b"255]")), "255.0 at pixel 783"),
    "a pixel below 0": (images_in_json(PIXELS.replace(b"1.0]", b"-1e-300]")), "-1e-300 at pixel 783"),
    "a pixel just above 1": (images_in_json(PIXELS.replace(b"1.0]", b"1.0000000001]")), "1.0000000001"),
    "a pixel of 2^64": (images_in_json(PIXELS.replace(b"1.0]", b"18446744073709551616]")), "1.84467"),
    "a seed of 30 digits": (images_in_json(PIXELS, options=b', "seed": ' + b"9" * 30), "body.seed"),
    "a seed of 100.0": (images_in_json(PIXELS, options=b', "seed": 1e2'), "body.seed"),
    "a seed nested 900 deep": (images_in_json(PIXELS, options=b', "seed": ' + b"[" * 900 + b"]" * 900), "body.seed"),
    "a seed nested 1,000 deep": (
        images_in_json(PIXELS, options=b', "seed": ' + b"[" * 1000 + b"]" * 1000),
        'found [[[["..."]]]]',
    ),
    "a seed of 100,000 letters": (images_in_json(PIXELS, options=b', "seed": "' + b"s" * 100_000 + b'"'), "sss..."),
    "a seed of 100,000 numbers": (images_in_json(PIXELS, options=b', "seed": [' + b"0," * 9_000 + b"0]"), "[0, 0, 0"),
    "sample null": (images_in_json(PIXELS, options=b', "sample": null'), "body.sample"),
    "a framework in the body": (images_in_json(PIXELS, options=b', "framework": "jax"'), "as ?framework=..."),
    "a name of 100,000 letters": (images_in_json(PIXELS, options=b', "' + b"k" * 100_000 + b'": 1'), "kkk: unknown"),
    "a name with line breaks": (images_in_json(PIXELS, options=b', "a\\n\\u0000b": 1'), "unknown"),
}

TOO_LARGE = {
    "one image too many": (images_in_json(b"[" + b",".join([PIXELS] * (MAX_IMAGES + 1)) + b"]"), "send at most 32"),
    "files too many": (images_in_json(b"[" + b",".join([b'"AAAA"'] * (MAX_IMAGES + 1)) + b"]"), "send at most 32"),
    "numbers too many": (images_in_json(b"[" + b"0," * 100_000 + b"0]"), "at most 32 items"),
    "bytes too many": (images_in_json(b"[" + b" " * 2**20 + b"]"), "1048576 bytes"),
}

ODD = {
    "white space everywhere": images_in_json(PIXELS.replace(b",", b"\r\n\t , ")),
    "negative zero": images_in_json(PIXELS.replace(b"[0.0", b"[-0.0")),
    "integers": images_in_json(PIXELS.replace(b"[0.0", b"[0").replace(b"1.0]", b"1]")),
    "exponents": images_in_json(PIXELS.replace(b"[0.0", b"[0E+3").replace(b"1.0]", b"100e-2]")),
    "a number too small": images_in_json(PIXELS.replace(b"[0.0", b"[1e-999")),
    "5,000 digits after the point": images_in_json(PIXELS.replace(b"[0.0", b"[0." + b"0" * 5000 + b"1")),
    "a byte order mark": b"\xef\xbb\xbf" + images_in_json(PIXELS),
    "a name in escapes": b'{"\\u0069mages": ' + PIXELS + b"}",
    "a seed of null": images_in_json(PIXELS, options=b', "seed": null'),
    "the largest seed": images_in_json(PIXELS, options=b', "seed": 9223372036854775807'),
    "a batch of one": images_in_json(b"[" + PIXELS + b"]"),
}

REQUESTS = [
    *(
        Request(name=f"JSON, {name}", status=status, words=words, content=content, headers=JSON)
        for status, bodies in ((400, MALFORMED), (422, WRONG), (413, TOO_LARGE))
        for name, (content, words) in bodies.items()
    ),
    *(
        Request(name=f"JSON, {name}", status=200, images=IMAGE, content=content, headers=JSON)
        for name, content in ODD.items()
    ),
]
