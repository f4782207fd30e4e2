"""Query options of a request's framework, model and response format, and of the admin routes."""

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from training.checkpoints.model_files import check_name
from training.errors import ConfigError
from training.frameworks import FRAMEWORKS, canonical_framework, framework_choices

# Longer than any integer that is an option, and short enough for int() to take.
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}")
_BOOLEANS: Final = {"true": True, "false": False}


def parse_text(text: Any) -> Any:
    """Return the text of a query parameter as a boolean or an integer if it is one, else unchanged."""
    if isinstance(text, str) and _INTEGER.fullmatch(text):
        return int(text)
    return _BOOLEANS.get(text.lower(), text) if isinstance(text, str) else text


class FrameworkOptions(BaseModel):
    """The framework that computes the response."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    framework: Annotated[
        str | None,
        Field(
            description=f"One of {framework_choices()}, in any case.",
            json_schema_extra={"enum": list(FRAMEWORKS)},
        ),
    ] = None

    @field_validator("framework")
    @classmethod
    def _read_framework(cls, value: str | None) -> str | None:
        return None if value is None else canonical_framework(value)


class PromoteOptions(BaseModel):
    """Options of `/admin/models/{framework}/{name}/promote`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    force: Annotated[
        bool,
        BeforeValidator(parse_text),
        Field(strict=True, description="Replace a better checkpoint, or one of another shape, too: true or false."),
    ] = False


class ModelOptions(FrameworkOptions):
    """The model that computes the response."""

    model: Annotated[
        str | None,
        Field(description="Name of the model; `/models` lists them. Default: the server's first, `model`."),
    ] = None
    weights: Annotated[
        str | None,
        Field(
            description="Load the checkpoint of that name that this framework has, in any case. "
            "Default: the framework's own.",
            json_schema_extra={"enum": list(FRAMEWORKS)},
        ),
    ] = None

    epoch: Annotated[
        # The bounds stand next to the type: behind the validator, the schema would name them `ge` and `le`.
        Annotated[int, Field(strict=True, ge=0, le=1_000_000), BeforeValidator(parse_text)] | None,
        Field(
            description="Load the weights that the checkpoint's run had after this epoch; 0 is before the first. "
            "`/models` lists the snapshots that there are. Default: the checkpoint itself.",
        ),
    ] = None

    @field_validator("weights")
    @classmethod
    def _read_weights(cls, value: str | None) -> str | None:
        return None if value is None else canonical_framework(value)

    @field_validator("model")
    @classmethod
    def _read_model(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_name(value)
        except ConfigError as error:
            raise ValueError(str(error)) from error


class ResponseOptions(ModelOptions):
    """Model and media type of a response: query parameters of the model routes."""

    format: Annotated[
        str | None,
        Field(
            description="Format of the response, for clients that can't set an `Accept` header; overrides it.",
            json_schema_extra={"enum": ["json", "png", "npy"]},
        ),
    ] = None
    output: Annotated[
        str | None,
        Field(description="Array to return as npy, by its name in the JSON response; only with `format=npy`."),
    ] = None
