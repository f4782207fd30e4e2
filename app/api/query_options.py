"""Reads options from a query and a JSON body, and words what is wrong with them. Knows no route."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from app.codecs.limits import Limits
from app.exceptions import FieldError, InvalidValueError
from app.schemas import FrameworkOptions, Options

ModelT = TypeVar("ModelT", bound=BaseModel)
OptionsT = TypeVar("OptionsT", bound=Options)

# Longer than any integer that is an option, and short enough for int() to take.
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}")
_BOOLEANS: Final = {"true": True, "false": False}

_MOST_ERRORS: Final = 10
"""How many wrong names are told at once: a body can have a million."""


def read_query(query: QueryParams, known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name.

    Raises:
        InvalidValueError: One is unknown, or stands there twice.
    """
    given = query.multi_items()
    names = [name for name, _ in given]
    errors = _unknown_names(names, known, source="query")
    errors += [
        FieldError(f"query.{name}", "given more than once: give it once") for name in known if names.count(name) > 1
    ]
    _raise_if_any(errors)
    return dict(given)


def read_query_options(options_type: type[OptionsT], query: Mapping[str, str], *, limits: Limits) -> OptionsT:
    """Return a route's options as the query gives them.

    Raises:
        InvalidValueError: One is wrong.
    """
    values = {name: _json_value(text) for name, text in query.items()}
    return validate(options_type, values, source="query", limits=limits)


def add_body_options(options: OptionsT, body: Mapping[str, object], *, limits: Limits) -> OptionsT:
    """Return the options with those that stand in a JSON body.

    Raises:
        InvalidValueError: One is wrong or unknown, or stands in the query too.
    """
    if not body:
        return options
    _raise_if_any(_unknown_names(body, type(options).model_fields, source="body"))
    added = validate(type(options), body, source="body", limits=limits)
    both = sorted(options.model_fields_set & added.model_fields_set)
    _raise_if_any([FieldError(f"query.{name}", "stands in the body as well: give it once") for name in both])
    return options.model_copy(update={name: getattr(added, name) for name in added.model_fields_set})


def validate(model: type[ModelT], values: Mapping[str, object], *, source: str, limits: Limits | None = None) -> ModelT:
    """Return the model of the values.

    Raises:
        InvalidValueError: A value is wrong; `source` begins the path that says which.
    """
    try:
        return model.model_validate(values, context=limits)
    except ValidationError as error:
        errors = [
            FieldError(where=".".join([source, *map(str, item["loc"])]), why=_explain(item["msg"], item["input"]))
            for item in error.errors()
        ]
        raise _invalid(errors) from error


def read_framework(query: QueryParams) -> str | None:
    """Return the canonical name of the framework that a query asks for, where it may ask for nothing else.

    Raises:
        InvalidValueError: It is unknown, given twice, or something else is asked for.
    """
    values = read_query(query, known=FrameworkOptions.model_fields)
    return validate(FrameworkOptions, values, source="query").framework


def _json_value(text: str) -> object:
    """Return what the text of a parameter would be in JSON: a boolean, an integer, or else the text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return _BOOLEANS.get(text.lower(), text)


def _explain(message: str, value: object) -> str:
    reason = message.removeprefix("Value error, ")
    found = json.dumps(value, default=str)
    shown = found if len(found) <= 60 else f"{found[:57]}..."
    return f"{reason[0].lower()}{reason[1:]}; found {shown}"


def _unknown_names(names: Iterable[str], known: Collection[str], *, source: str) -> list[FieldError]:
    why = f"unknown; known here: {', '.join(known) or 'nothing'}"
    unknown = (name for name in dict.fromkeys(names) if name not in known)
    return [FieldError(f"{source}.{name[:60]}", why) for name in islice(unknown, _MOST_ERRORS)]


def _raise_if_any(errors: list[FieldError]) -> None:
    if errors:
        raise _invalid(errors)


def _invalid(errors: list[FieldError]) -> InvalidValueError:
    return InvalidValueError("; ".join(map(str, errors)), errors)
