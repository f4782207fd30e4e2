"""The route that asks all frameworks at once."""

from fastapi import APIRouter

from app.answer_schemas import CompareAnswer
from app.answers import Answer, answer_object, compute
from app.calls import read_call, read_images
from app.documentation import describe_route
from app.exceptions import FrameworkUnavailableError, ServiceError
from app.exchange import Exchange
from app.inference.comparison import compare
from app.inference.registry import Registry
from app.inference.states import LoadedModel
from app.schemas import CompareOptions

router = APIRouter(tags=["models"])


@router.post("/compare", **describe_route(CompareOptions, CompareAnswer, field="images"))
async def compare_frameworks(exchange: Exchange) -> Answer:
    """Reconstruct the same images with the same noise in every framework that is ready, and tell them apart."""
    call = read_call(exchange, CompareOptions)
    models, unavailable = _sort_out(exchange.service.registry)
    call, images = await read_images(exchange, call, next(iter(models.values())))
    seed = call.options.choose_seed()
    comparison = await compute(exchange, compare(models, images, seed=seed), list(models))
    if not comparison.results:
        raise next(iter(comparison.errors.values()))
    unavailable |= {name: str(error) for name, error in comparison.errors.items()}
    members = {
        "results": {
            name: {**arrays, **models[name].provenance, "seed": seed} for name, arrays in comparison.results.items()
        },
        "model_ms": comparison.model_ms,
        "max_abs_difference": comparison.max_abs_difference,
        "unavailable": unavailable,
        "seed": seed,
    }
    size = sum(array.nbytes for arrays in comparison.results.values() for array in arrays.values())
    return await answer_object(exchange, members, size=size)


def _sort_out(registry: Registry) -> tuple[dict[str, LoadedModel], dict[str, str]]:
    """Return the models that can be compared, by framework, and why the others can't.

    Raises:
        FrameworkUnavailableError: None can.
        OverloadedError: The first that is ready has no room.
    """
    models: dict[str, LoadedModel] = {}
    unavailable: dict[str, str] = {}
    errors: list[ServiceError] = []
    for state in registry.states:
        name = state.framework
        try:
            model = registry.get(name)
            model.batcher.check_room()
        except ServiceError as error:
            errors.append(error)
            unavailable[name] = str(error)
            continue
        first = next(iter(models.values()), model)
        if model.adapter.model == first.adapter.model:
            models[name] = model
        else:
            unavailable[name] = f"{name} serves another architecture than {first.adapter.framework}: nothing to compare"
    if not models:
        if len(errors) == 1:
            raise errors[0]
        raise FrameworkUnavailableError("; ".join(unavailable.values()), retry_after_s=2)
    return models, unavailable
