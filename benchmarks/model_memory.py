"""Memory of the process while models are loaded and unloaded again and again.

    python -m benchmarks.model_memory [--frameworks jax,tensorflow,pytorch] [--loads 100]

Three copies of each framework's checkpoint take turns in two places, one of which the default model has, so that every
request loads a model and unloads another. Prints the resident memory of this process, in MiB (Linux).
"""

import asyncio
import gc
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from app.inference import operations
from app.inference.models.registry import Registry
from app.observability.metrics import Metrics
from app.process_tuning import tune_malloc
from app.settings import CHECKPOINTS, Settings
from benchmarks.command_line import make_parser
from training.checkpoints.model_files import ModelFile
from training.frameworks import FRAMEWORKS

_NAMES = ("one", "two", "three")


def main() -> None:
    """Measure each framework in turn."""
    parser = make_parser("benchmarks.model_memory", __doc__)
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS), help="Frameworks, separated by commas.")
    parser.add_argument("--loads", type=int, default=100, help="Loads of each framework.")
    options = parser.parse_args()
    tune_malloc()  # as the service does
    for framework in options.frameworks.split(","):
        with tempfile.TemporaryDirectory() as folder:
            _copy(Path(folder), framework)
            settings = Settings(checkpoints=Path(folder), frameworks=framework, max_models=2, device="cpu")
            asyncio.run(_measure(settings, framework, options.loads))


def _copy(folder: Path, framework: str) -> None:
    for name in ("model", *_NAMES):
        path = ModelFile(folder, framework, name).path
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ModelFile(CHECKPOINTS, framework).path, path)


async def _measure(settings: Settings, framework: str, loads: int) -> None:
    metrics = Metrics(version="0", frameworks=[framework])
    registry = Registry(settings)
    registry.start(metrics.for_framework)
    await registry.wait_until_loaded()
    images = np.zeros((4, 784), np.float32)
    memory_mib = [_resident_mib()]
    for number in range(1, loads + 1):
        model = await registry.get_or_load(framework, _NAMES[number % len(_NAMES)])
        await model.new_session().run_operation(operations.reconstruct(model.adapter.model, images, seed=0))
        del model
        if number % (loads // 10 or 1) == 0:
            gc.collect()
            memory_mib.append(_resident_mib())
    registry.close()
    print(f"{framework}: MiB after 0, {loads // 10}, ... {loads} loads: {' '.join(f'{mib:.0f}' for mib in memory_mib)}")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
