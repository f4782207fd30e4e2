"""The service against its own OpenAPI document, by requests that schemathesis makes up from it."""

import math

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.service import MODEL, make_service, npy, running

TIMEOUT = "X-Request-Timeout"

load_all_checks()

# It sends a wrong key beside ours, which lets in all the same.
WRONG_KEYS = CHECKS.get_by_names(["ignored_auth"])

# No document can say which numbers and files are right, nor which options go together.
NOT_SAID = CHECKS.get_by_names(["positive_data_acceptance"])

KEY = "s3cret"


def read_schema(**settings):
    """Return the document of a service with these settings, which needs neither checkpoints nor to be started."""
    config = SchemathesisConfig.from_dict({"generation": {"deterministic": True, "max-examples": 40}})
    return schemathesis.openapi.from_dict(make_service("nowhere", **settings).api.openapi(), config=config)


schema = read_schema()

locked_schema = read_schema(api_keys=KEY).include(path=["/sample", "/healthz", "/frameworks", "/admin/reload"])


def arrays():
    """Return a strategy of npy files: some that are right, and some of any shape and type."""
    shapes = st.sampled_from([(1, MODEL.latent_dim), (2, MODEL.latent_dim), (2, MODEL.image_dim), (1, 28, 28)])
    right = st_numpy.arrays(np.float32, shapes, elements=st.floats(0, 1, width=32), fill=st.just(np.float32(0.5)))
    return st.one_of(right, st_numpy.arrays(st_numpy.scalar_dtypes(), st_numpy.array_shapes(max_side=4))).map(npy)


schemathesis.openapi.media_type("application/x-npy", arrays())


@schemathesis.serializer("application/x-npy")
def send_as_it_is(_context, value):
    """Send bytes as a body."""
    return value


def allow_time(case):
    """Give an answer a minute, where the request would give it any less."""
    try:
        seconds = float(case.headers.get(TIMEOUT, math.nan))
    except ValueError:
        return
    if 0 < seconds < 60:
        case.headers[TIMEOUT] = "60"


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case, client):
    """Whatever is sent, right or wrong, is answered with a status, a content type and a body that the document has."""
    allow_time(case)
    case.call_and_validate(base_url=str(client.base_url).rstrip("/"), excluded_checks=NOT_SAID)


@pytest.fixture(scope="module")
def locked_client(checkpoints):
    """A client of a service that asks for a key."""
    with running(make_service(checkpoints, api_keys=KEY)) as client:
        yield client


@locked_schema.parametrize()
@settings(suppress_health_check=list(HealthCheck))
def test_answers_of_a_locked_service_are_as_documented(case, locked_client):
    """With a key whatever is sent, also to have checkpoints loaded anew, is answered as documented."""
    allow_time(case)
    headers = {"X-API-Key": KEY}
    url = str(locked_client.base_url).rstrip("/")
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=[*NOT_SAID, *WRONG_KEYS])
