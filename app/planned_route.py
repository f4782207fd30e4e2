"""A route that one operation of a model answers: how its bodies are read, and what is planned for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from jaxtyping import Float32
from numpy import ndarray

from app.answers import Answer, answer_plan
from app.calls import Call, ItemsOf, OptionsT, choose_model, read_call, read_items
from app.exchange import Exchange
from app.inference.plans import Plan
from training.config import ModelConfig


@dataclass(frozen=True, slots=True)
class PlannedRoute(Generic[OptionsT]):
    """What there is to know of such a route."""

    path: str
    options_type: type[OptionsT]
    field: str
    """Name of what it reads: images or latents."""

    items_of: ItemsOf[OptionsT]
    plan: Callable[[Call[OptionsT], ModelConfig, Float32[ndarray, "batch values"]], Plan]

    async def answer(self, exchange: Exchange) -> Answer:
        """Answer one request."""
        call = read_call(exchange, self.options_type)
        model = choose_model(exchange, call)
        call, items = await read_items(exchange, call, model, field=self.field, items_of=self.items_of)
        return await answer_plan(exchange, call, model, self.plan(call, model.adapter.model, items))
