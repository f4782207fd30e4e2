"""What clients may ask for: the options of each route, checked by pydantic. Arrays are the codecs' business."""

import random
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from training.errors import UnknownFrameworkError
from training.frameworks import ALIASES, FRAMEWORKS, canonical_framework

SEED_LIMIT: Final = 2**63

# Every JSON reader holds integers below 2^53 exactly.
_FRESH_SEED_LIMIT: Final = 2**53


class FrameworkOptions(BaseModel):
    """Which framework a request is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    framework: Annotated[
        str | None,
        Field(
            description=f"One of {', '.join(FRAMEWORKS)}, or an alias ({', '.join(ALIASES)}), in any case.",
            json_schema_extra={"enum": list(FRAMEWORKS)},
        ),
    ] = None

    @field_validator("framework")
    @classmethod
    def _read_framework(cls, value: str | None) -> str | None:
        try:
            return None if value is None else canonical_framework(value)
        except UnknownFrameworkError as error:
            raise ValueError(str(error)) from error


class AnswerOptions(FrameworkOptions):
    """Who answers, and how: query parameters of every model route."""

    format: Annotated[
        str | None,
        Field(
            description="The kind of answer, for clients that can't set an `Accept` header; it wins over the header.",
            json_schema_extra={"enum": ["json", "png", "npy"]},
        ),
    ] = None
    output: Annotated[
        str | None, Field(description="Which array a npy answer holds, by its name in the JSON answer; npy only.")
    ] = None


class Options(BaseModel):
    """The options of one model route, in the query or beside the arrays of a JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    answer_options: ClassVar[tuple[str, ...]] = ("framework", "format", "output")
    """Which of `AnswerOptions` the route has."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The kinds of answer, by their words in `?format=`, the default first."""
        return ("json", "png", "npy") if "probs" in self.outputs else ("json", "npy")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays, the one that npy takes first."""
        raise NotImplementedError


class SeedOptions(Options):
    """Options of a route that draws noise."""

    seed: Annotated[
        int | None,
        Field(
            ge=0,
            le=SEED_LIMIT - 1,
            description="Seed of the noise, from 0 to 2^63 - 1: the same seed gives the same noise in every framework. "
            "Unless given, a fresh one is drawn; the answer names it.",
            examples=[7],
        ),
    ] = None

    def choose_seed(self) -> int:
        """Return the seed, or a fresh one below 2^53."""
        return random.randrange(_FRESH_SEED_LIMIT) if self.seed is None else self.seed  # noqa: S311 -- no secret


class ImageOptions(Options):
    """Options of a route that reads images."""

    invert: Annotated[
        bool, Field(description="Whether the pictures are dark on light, and are to be inverted: true or false.")
    ] = False


class ReconstructOptions(SeedOptions, ImageOptions):
    """Options of `/reconstruct`."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        return ("probs", "mean", "logvar", "elbo", "log_likelihood", "kl_divergence")


class EncodeOptions(SeedOptions, ImageOptions):
    """Options of `/encode`."""

    sample: Annotated[
        bool, Field(description="Whether to draw `latents` from q(z|x) too: true or false; only then is a seed used.")
    ] = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        return ("mean", "logvar", "latents") if self.sample else ("mean", "logvar")


class DecodeOptions(Options):
    """Options of `/decode`: none."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        return ("probs",)


class SampleOptions(SeedOptions):
    """Options of `/sample`."""

    n: Annotated[
        int,
        Field(
            ge=1,
            description="How many images to draw, from 1 to the server's limit (1024 unless it is set otherwise).",
            examples=[16],
        ),
    ] = 1

    @field_validator("n")
    @classmethod
    def _check_n(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_images")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        return ("probs", "latents")


class ScoreOptions(SeedOptions, ImageOptions):
    """Options of `/score`."""

    samples: Annotated[
        int,
        Field(
            ge=1,
            description="How many latents to draw for each image, from 1 to the server's limit (5000 unless it is set "
            "otherwise); from 2 there is the importance-weighted bound too.",
            examples=[16],
        ),
    ] = 1

    @field_validator("samples")
    @classmethod
    def _check_samples(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_samples")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        bound = ("iwae", "iwae_standard_error") if self.samples > 1 else ()
        return ("elbo", "log_likelihood", "kl_divergence", "kl_per_dimension", "bits_per_pixel", *bound)


class InterpolateOptions(ImageOptions):
    """Options of `/interpolate`."""

    steps: Annotated[
        int,
        Field(
            ge=2,
            description="How many images, both ends included, from 2 to the server's limit (1024 unless it is set "
            "otherwise).",
            examples=[8],
        ),
    ] = 8

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_images")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the answer's arrays."""
        return ("probs", "latents")


class CompareOptions(SeedOptions, ImageOptions):
    """Options of `/compare`."""

    answer_options: ClassVar[tuple[str, ...]] = ("format",)

    @property
    def formats(self) -> tuple[str, ...]:
        """The kinds of answer: only JSON holds several frameworks' arrays."""
        return ("json",)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays of each framework."""
        return ReconstructOptions().outputs


def _check_most(value: int, info: ValidationInfo, limit: str) -> int:
    most = getattr(info.context, limit) if info.context else value
    if value > most:
        raise ValueError(f"input should be at most {most} on this server")
    return value
