"""The service against its own OpenAPI document, by requests that schemathesis makes up from it."""

import math

import numpy as np
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.service import MODEL, make_service, npy

TIMEOUT = "X-Request-Timeout"

load_all_checks()

# No document can say which numbers and files are right, nor which options go together.
NOT_SAID = CHECKS.get_by_names(["positive_data_acceptance"])

# Building the document needs neither checkpoints nor a running service.
schema = schemathesis.openapi.from_dict(
    make_service("nowhere").api.openapi(),
    config=SchemathesisConfig.from_dict({"generation": {"deterministic": True, "max-examples": 40}}),
)


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
