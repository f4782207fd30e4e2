"""Parses the options of a query and of a JSON body, and explains what is invalid. Knows no route."""

from collections.abc import Collection, Iterable, Mapping
from itertools import chain, islice, repeat
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from app.api.schemas.model_options import FrameworkOptions, parse_text
from app.api.schemas.requests import Options
from app.codecs.error_messages import preview
from app.codecs.limits import Limits
from app.errors import FieldError, InvalidValueError

ModelT = TypeVar("ModelT", bound=BaseModel)
OptionsT = TypeVar("OptionsT", bound=Options)

_REASONS: Final = {"Input should be a valid boolean": "expected true or false"}
"""Replaces reasons of pydantic that don't say what to send."""

_MOST_ERRORS: Final = 10
"""Maximum number of unknown names in one message: a body can have a million."""


def read_query(query: QueryParams, known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name.

    Raises:
        InvalidValueError: A parameter is unknown or given twice.
    """
    parameters = query.multi_items()
    names = [name for name, _ in parameters]
    errors = _unknown_names(names, known, source="query")
    errors += [
        FieldError(f"query.{name}", "given more than once: give it once") for name in known if names.count(name) > 1
    ]
    _raise_if_any(errors)
    return dict(parameters)


def read_query_options(options_type: type[OptionsT], query: Mapping[str, str], *, limits: Limits) -> OptionsT:
    """Return the options of a route from a query.

    Raises:
        InvalidValueError: A value is invalid.
    """
    values = {name: parse_text(text) for name, text in query.items()}
    return validate(options_type, values, source="query", limits=limits)


def add_body_options(options: OptionsT, body: Mapping[str, object], *, limits: Limits) -> OptionsT:
    """Return the options of the query merged with those of a JSON body.

    Raises:
        InvalidValueError: An option of the body is invalid or unknown, stands in the query alone, or differs there.
    """
    if not body:
        return options
    of_query = options.response_options
    errors = [FieldError(f"body.{name}", f"goes into the query, as ?{name}=...") for name in of_query if name in body]
    others = (name for name in body if name not in of_query)
    _raise_if_any(errors + _unknown_names(others, type(options).model_fields, source="body"))
    added = validate(type(options), body, source="body", limits=limits)
    _raise_if_any(
        [
            FieldError(f"query.{name}", f"is {preview(queried)}, but body.{name} is {preview(value)}: give it once")
            for name in sorted(options.model_fields_set & added.model_fields_set)
            if (queried := getattr(options, name)) != (value := getattr(added, name))
        ]
    )
    return options.model_copy(update={name: getattr(added, name) for name in added.model_fields_set})


def validate(model: type[ModelT], values: Mapping[str, object], *, source: str, limits: Limits | None = None) -> ModelT:
    """Return the values as a validated model.

    Raises:
        InvalidValueError: A value is invalid; `source` begins its path.
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
    """Return the canonical framework of a query that may have no other parameter.

    Raises:
        InvalidValueError: The framework is unknown or given twice, or there is another parameter.
    """
    values = read_query(query, known=FrameworkOptions.model_fields)
    return validate(FrameworkOptions, values, source="query").framework


def _explain(message: str, value: object) -> str:
    reason = _REASONS.get(message) or message.removeprefix("Value error, ")
    return f"{reason[0].lower()}{reason[1:]}; found {preview(value)}"


def _unknown_names(names: Iterable[str], known: Collection[str], *, source: str) -> list[FieldError]:
    unknown = [*islice((name for name in dict.fromkeys(names) if name not in known), _MOST_ERRORS)]
    # The known names once, so that the sentence stays short.
    reasons = chain([f"unknown; known here: {', '.join(known) or 'nothing'}"], repeat("unknown"))
    return [FieldError(f"{source}.{name[:60]}", why) for name, why in zip(unknown, reasons, strict=False)]


def _raise_if_any(errors: list[FieldError]) -> None:
    if errors:
        raise _invalid(errors)


def _invalid(errors: list[FieldError]) -> InvalidValueError:
    return InvalidValueError("; ".join(map(str, errors)), errors)
