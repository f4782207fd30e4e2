"""Pydantic models of the responses about one model's files: promotion, history, companion. For `/openapi.json`."""

from typing import Annotated

from pydantic import BaseModel, Field

from training.checkpoints.history import Event


class PromotionResponse(BaseModel):
    """A promotion or rollback."""

    event: Annotated[Event, Field(description="The change of the checkpoint.")]
    served: Annotated[dict[str, str], Field(description="What is served since, by model.")]


class HistoryResponse(BaseModel):
    """The promotions and rollbacks of a model."""

    events: Annotated[list[Event], Field(description="Oldest first.")]


class CompanionExamples(BaseModel):
    """Test images, in one PNG image of rows and columns."""

    count: Annotated[int, Field(description="Number of images, row by row.")]
    columns: Annotated[int, Field(description="Images in a row of the PNG.")]
    labels: Annotated[list[int] | None, Field(description="Class of each image; null if the data set has none.")]
    png: Annotated[str, Field(description="The PNG file in base64.")]


class CompanionMap(BaseModel):
    """The two principal components of the test images' latent means."""

    points: Annotated[list[list[float]], Field(description="Place of each example: across, up.")]
    center: Annotated[list[float], Field(description="The latent at the map's origin.")]
    axes: Annotated[list[list[float]], Field(description="The two directions in latent space.")]
    explained: Annotated[list[float], Field(description="Share of the variance that each direction explains.")]


class CompanionTranslation(BaseModel):
    """A linear map to the latent space of another framework's model: matrix @ latent + offset."""

    checkpoint: Annotated[str | None, Field(description="ID of the other model's checkpoint.")]
    matrix: Annotated[list[list[float]], Field(description="One row for each latent of the other model.")]
    offset: Annotated[list[float], Field(description="One number for each latent of the other model.")]
    explained: Annotated[float, Field(description="Share of the variance of the test images' means that it explains.")]


class CompanionResponse(BaseModel):
    """A model's companion file, which training wrote: examples and a map of its latent space."""

    format: Annotated[str, Field(description="Name and version of the format.")]
    framework: Annotated[str, Field(description="Framework that serves the model.")]
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")]
    dataset: Annotated[str, Field(description="Name of the data set.")]
    image_shape: Annotated[list[int], Field(description="Height and width of the images.")]
    latent_dim: Annotated[int, Field(description="Number of latents.")]
    examples: CompanionExamples
    means: Annotated[list[list[float]], Field(description="Latent mean of each example.")]
    kl: Annotated[list[float], Field(description="Mean KL divergence of each latent over the test images, in nats.")]
    map: Annotated[CompanionMap | None, Field(description="The map; null for a model of one latent.")]
    to: Annotated[dict[str, CompanionTranslation], Field(description="Maps to other latent spaces, by framework.")]
