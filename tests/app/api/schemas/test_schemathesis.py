"""The service against its own OpenAPI document, by requests that schemathesis generates from the document."""

import math

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.support.app import MODEL, make_service, npy, running

TIMEOUT = "X-Request-Timeout"

load_all_checks()

# It adds a wrong key to the right one, which is still accepted.
WRONG_KEYS = CHECKS.get_by_names(["ignored_auth"])

# No schema can express which numbers and files are valid, or which options may be combined.
NOT_EXPRESSIBLE = CHECKS.get_by_names(["positive_data_acceptance"])

KEY = "s3cret"


def read_schema(examples=40, **settings):
    """Return the document of a service with these settings; it needs no checkpoints and isn't started."""
    config = SchemathesisConfig.from_dict({"generation": {"deterministic": True, "max-examples": examples}})
    return schemathesis.openapi.from_dict(make_service("nowhere", **settings).api.openapi(), config=config)


schema = read_schema()

# Few examples: the other schema has most of these routes, and each reload loads three checkpoints.
locked_schema = read_schema(examples=10, api_keys=KEY).include(
    path=[
        *("/sample", "/healthz", "/frameworks", "/admin/reload", "/models/{framework}/{name}/companion"),
        *(f"/admin/models/{{framework}}/{{name}}/{action}" for action in ("promote", "rollback", "history")),
    ]
)


def arrays():
    """Return a strategy of npy files: valid ones, and others of any shape and type."""
    shapes = st.sampled_from([(1, MODEL.latent_dim), (2, MODEL.latent_dim), (2, MODEL.image_dim), (1, 28, 28)])
    right = st_numpy.arrays(np.float32, shapes, elements=st.floats(0, 1, width=32), fill=st.just(np.float32(0.5)))
    return st.one_of(right, st_numpy.arrays(st_numpy.scalar_dtypes(), st_numpy.array_shapes(max_side=4))).map(npy)


FILES = ("application/x-npz", "image/avif", "image/bmp", "image/heic", "image/tiff")
"""Types of bodies for which schemathesis has no files of its own."""

schemathesis.openapi.media_type("application/x-npy", arrays())
for media_type in FILES:
    schemathesis.openapi.media_type(media_type, st.binary(max_size=200))


@schemathesis.serializer("application/x-npy", *FILES)
def send_unchanged(_context, value):
    """Send bytes as a body, unchanged."""
    return value


def extend_deadline(case):
    """Raise a deadline below a minute to a minute."""
    try:
        seconds = float(case.headers.get(TIMEOUT, math.nan))
    except ValueError:
        return
    if 0 < seconds < 60:
        case.headers[TIMEOUT] = "60"


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck))
def test_responses_are_as_documented(case, client):
    """Every request, valid or not, gets a status, a content type and a body that the document declares."""
    extend_deadline(case)
    case.call_and_validate(base_url=str(client.base_url).rstrip("/"), excluded_checks=NOT_EXPRESSIBLE)


@pytest.fixture(scope="module")
def locked_client(checkpoints):
    """A client of a service that requires a key."""
    with running(make_service(checkpoints, api_keys=KEY)) as client:
        yield client


@locked_schema.parametrize()
@settings(suppress_health_check=list(HealthCheck))
def test_responses_of_a_locked_service_are_as_documented(case, locked_client):
    """With a key, every request, also to reload checkpoints, gets a documented response."""
    extend_deadline(case)
    headers = {"X-API-Key": KEY}
    url = str(locked_client.base_url).rstrip("/")
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=[*NOT_EXPRESSIBLE, *WRONG_KEYS])
