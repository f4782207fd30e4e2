"""Request options of each route, validated by pydantic. The arrays of a body are validated by the codecs."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from app.inference.noise import SEED_LIMIT


class Options(BaseModel):
    """The options of one model route, in the query or beside the arrays of a JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    response_options: ClassVar[tuple[str, ...]] = ("framework", "model", "weights", "epoch", "format", "output")
    """Names of the `ResponseOptions` that the route has."""

    optional_outputs: ClassVar[Mapping[str, str]] = {}
    """Arrays that a response has only with another option, and that option."""

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the response, as in `?format=`, the default first."""
        return ("json", "png", "npy") if "probs" in self.outputs else ("json", "npy")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays, the default of npy first."""
        raise NotImplementedError


class SeedOptions(Options):
    """Options of a route that samples noise."""

    seed: Annotated[
        int | None,
        Field(
            ge=0,
            le=SEED_LIMIT - 1,
            description="Seed of the noise, from 0 to 2^63 - 1: the same seed gives the same noise in every framework. "
            "Default: a fresh seed, named in the response.",
            examples=[7],
        ),
    ] = None


class ImageOptions(Options):
    """Options of a route that reads images."""

    invert: Annotated[
        bool | None,
        Field(
            description="Invert the images first, for dark ink on a light background: true or false. Default: false, "
            "or with `centre` as the image's edges say."
        ),
    ] = None
    centre: Annotated[
        bool,
        Field(
            description="Crop and center the drawing or photo in each image file, as MNIST's digits were: true or "
            "false. Not for arrays of numbers, which already have the model's shape."
        ),
    ] = False


class PictureOptions(Options):
    """Options of a route that can respond with a PNG."""

    scale: Annotated[
        int,
        Field(
            ge=1,
            le=16,
            description="Side of the square that shows one pixel in a PNG, from 1 to 16; only with `format=png`, or "
            "`Accept: image/png`.",
            examples=[8],
        ),
    ] = 1


class ReconstructOptions(SeedOptions, ImageOptions, PictureOptions):
    """Options of `/reconstruct`."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        return ("probs", "mean", "logvar", "elbo", "log_likelihood", "kl_divergence")


class EncodeOptions(SeedOptions, ImageOptions):
    """Options of `/encode`."""

    optional_outputs: ClassVar[Mapping[str, str]] = {"latents": "sample=true"}

    sample: Annotated[bool, Field(description="Also sample `latents` from q(z|x), with the seed: true or false.")] = (
        False
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        return ("mean", "logvar", *(self.optional_outputs if self.sample else ()))


class DecodeOptions(PictureOptions):
    """Options of `/decode`."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        return ("probs",)


class SampleOptions(SeedOptions, PictureOptions):
    """Options of `/sample`."""

    n: Annotated[
        int,
        Field(
            ge=1,
            description="Number of images, from 1 to the server's limit (`TRIPTYCH_MAX_IMAGES`, 1024).",
            examples=[16],
        ),
    ] = 1

    @field_validator("n")
    @classmethod
    def _check_n(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_images")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        return ("probs", "latents")


class ScoreOptions(SeedOptions, ImageOptions):
    """Options of `/score`."""

    optional_outputs: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("iwae", "iwae_standard_error", "effective_samples"), "samples=2 or more"
    )

    samples: Annotated[
        int,
        Field(
            ge=1,
            description="Number of latents per image, from 1 to the server's limit (`TRIPTYCH_MAX_SAMPLES`, 5000); 2 "
            "or more add the importance-weighted bound.",
            examples=[16],
        ),
    ] = 1

    @field_validator("samples")
    @classmethod
    def _check_samples(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_samples")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        bound = self.optional_outputs if self.samples > 1 else ()
        return ("elbo", "log_likelihood", "kl_divergence", "kl_per_dimension", "bits_per_pixel", *bound)


class InterpolateOptions(ImageOptions, PictureOptions):
    """Options of `/interpolate`."""

    steps: Annotated[
        int,
        Field(
            ge=2,
            description="Number of images, both ends included, from 2 to the server's limit (`TRIPTYCH_MAX_IMAGES`, "
            "1024), which also bounds the default.",
            examples=[8],
        ),
    ] = 8

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, value: int, info: ValidationInfo) -> int:
        return _check_most(value, info, "max_images")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the response's arrays."""
        return ("probs", "latents")


class CompareOptions(SeedOptions, ImageOptions):
    """Options of `/compare`."""

    response_options: ClassVar[tuple[str, ...]] = ("model", "weights", "epoch", "format")

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the response: only JSON holds the arrays of several frameworks."""
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
