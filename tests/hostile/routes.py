"""Hostile or odd requests of single routes, such as latents, pairs and options, with the expected responses."""

import numpy as np

from tests.hostile.base import IMAGE, JSON, MAX_IMAGES, NPY, PIXELS, PNG, Request, images_in_json
from tests.support.app import npy
from tests.support.images.image_files import scenes

ONE = images_in_json(PIXELS)

TWO = images_in_json(b"[" + PIXELS + b"," + PIXELS + b"]")

FILE = scenes()["PNG gray"]


def latents(text):
    """Return a JSON body whose `latents` is this text."""
    return b'{"latents": ' + text + b"}"


ZEROS = latents(b"[" + b"0," * 19 + b"0]")

IN_BODY = images_in_json(PIXELS, options=b', "framework": "jax"')

IN_BODY_OF_LATENTS = ZEROS[:-1] + b', "format": "png", "x": 1}'

BODIES = {
    "latents of 21": (422, "(21,)", "/decode", latents(b"[" + b"0," * 20 + b"0]"), JSON),
    "no latents": (422, "body.latents holds no latents: expected at least one", "/decode", latents(b"[]"), JSON),
    "no rows of latents": (422, "holds no latents", "/decode", npy(np.zeros((0, 20), np.float32)), NPY),
    "no ends": (422, "body.images holds 0: expected two", "/interpolate", images_in_json(b"[]"), JSON),
    "latents beyond float32": (422, "1e+39 at 19", "/decode", latents(b"[" + b"0," * 19 + b"1e39]"), JSON),
    "latents as files": (422, "is a string", "/decode", latents(b'["AAAA"]'), JSON),
    "latents too many": (413, "at most 32", "/decode", npy(np.zeros((MAX_IMAGES + 1, 20), np.float32)), NPY),
    "latents of NaN": (422, "nan at 0", "/decode", npy(np.full((1, 20), np.nan)), NPY),
    "latents that are images": (422, "(784,)", "/decode", npy(IMAGE), NPY),
    "latents in a picture": (415, "'image/png'", "/decode", FILE, PNG),
    "latents under images": (422, "body.latents is missing", "/decode", ONE, JSON),
    "one end": (422, "holds 1: expected two", "/interpolate", ONE, JSON),
    "one picture": (422, "holds 1: expected two", "/interpolate", FILE, PNG),
    "three ends": (422, "holds 3: expected two", "/interpolate", npy(np.zeros((3, 784), np.uint8)), NPY),
    "ends of both kinds": (422, "both images and latents", "/interpolate", ONE[:-1] + b"," + ZEROS[1:], JSON),
    "ends of no kind": (422, "neither images nor latents", "/interpolate", b"{}", JSON),
    "an end too many": (422, "two latents, (2, 20)", "/interpolate", npy(np.zeros((3, 20), np.float32)), NPY),
    "latents of booleans": (422, "floats for latents", "/decode", npy(np.zeros((1, 20), bool)), NPY),
    "latents in a picture without a type": (415, "the body is an image file", "/decode", FILE, {}),
    "a document without a type": (415, "the body is a PDF", "/encode", b"%PDF-1.7", {}),
    "a picture as JSON": (400, "the body is an image file", "/encode", FILE, JSON),
    "a path with a line feed": (404, "%0A", "/encode%0A", ONE, JSON),
    "an option that is neither true nor false": (422, "expected true or false", "/encode?invert=1", ONE, JSON),
    "an epoch of 1.0": (422, "query.epoch", "/encode?epoch=1.0", ONE, JSON),
    "an epoch of 1_0": (422, "query.epoch", "/encode?epoch=1_0", ONE, JSON),
    "one step": (422, "query.steps", "/interpolate?steps=1", TWO, JSON),
    "too many steps": (422, "at most 32", "/interpolate?steps=33", TWO, JSON),
    "no samples": (422, "query.samples", "/score?samples=0", ONE, JSON),
    "samples too many": (422, "at most 5000", "/score?samples=5001", ONE, JSON),
    "samples beyond all numbers": (422, "query.samples", "/score?samples=" + "9" * 3000, ONE, JSON),
    "a framework to compare": (422, "query.framework", "/compare?framework=jax", ONE, JSON),
    "a comparison as npy": (406, "has no npy response", "/compare?format=npy", ONE, JSON),
    "an option of the query alone": (422, "goes into the query, as ?framework=...", "/encode", IN_BODY, JSON),
    "another beside an unknown one": (422, "body.x: unknown; known here: scale", "/decode", IN_BODY_OF_LATENTS, JSON),
    "an option of no route to compare": (422, "body.framework: unknown", "/compare", IN_BODY, JSON),
    "scores as a picture": (406, "application/json", "/score", ONE, JSON | {"Accept": "image/png"}),
    "Accept of 10,000 letters": (406, "'text/xxx", "/encode", ONE, JSON | {"Accept": "text/" + "x" * 10_000}),
    "an option of NUL": (422, "query.sample", "/encode?sample=%00%ff", ONE, JSON),
    "5,000 unknown options": (422, "query.a9:", "/encode?" + "&".join(f"a{index}" for index in range(5000)), ONE, JSON),
    "an option's name of markup": (422, "unknown", "/encode?%3Cscript%3E=1", ONE, JSON),
}

TIMEOUTS = ["0", "5_0", "-1", "nan", "-inf", "soon", "1_000s", "", "1, 2"]

REQUESTS = [
    *(
        Request(name=name, status=status, words=words, url=url, content=content, headers=headers)
        for name, (status, words, url, content, headers) in BODIES.items()
    ),
    *(
        Request(
            name=f"a timeout of {text!r}",
            status=422,
            words="expected a number of seconds above 0",
            content=ONE,
            headers=JSON | {"X-Request-Timeout": text},
        )
        for text in TIMEOUTS
    ),
    *(
        Request(
            name=f"a timeout of {text!r}",
            status=200,
            images=IMAGE,
            content=ONE,
            headers=JSON | {"X-Request-Timeout": text},
        )
        for text in ("inf", "1e3")
    ),
]
