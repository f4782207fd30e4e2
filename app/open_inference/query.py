"""Refuses query parameters, of which the protocol's routes have none: options of a request stand in its body."""

from typing import Final

from starlette.datastructures import QueryParams

from app.api.query_options import read_query
from app.errors import InvalidValueError

INFER_ADVICE: Final = (
    'options such as seed go into the body\'s `parameters`, as in "parameters": {"seed": 7}; '
    "the path names framework and model"
)


def refuse_query(query: bytes, *, advice: str) -> None:
    """Raise an `InvalidValueError`, which ends with the advice, if the query has a parameter."""
    if not query:
        return
    try:
        read_query(QueryParams(query), known=())
    except InvalidValueError as error:
        raise InvalidValueError(f"{error}; {advice}", error.errors) from error
