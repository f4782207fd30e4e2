"""Prepares, follows and finishes the run of `python -m training train`. Parses no options."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from training.checkpoints.model_files import locate
from training.commands.options.run import make_configs
from training.config import TrainConfig
from training.counts import count_of
from training.data import Dataset
from training.engine.resume_state import TrainingState
from training.engine.run import EVALUATION_TARGET, TEST_DRAWS, Run
from training.process.console import plain_console
from training.process.stop_request import StopRequest
from training.reporting.companion import write_documents
from training.reporting.run_reporter import FIGURES, Recorder

_errors: Final = plain_console(stderr=True)


def prepare_run(
    framework: str, options: dict[str, Any], state: TrainingState | None, load: Callable[[str], Dataset]
) -> Run:
    """Return a new run with these options, or the run of a saved state, on as many devices as the options say.

    The data set of a saved run may have another path in the options.
    """
    if state is not None:
        devices = options.get("devices") or state.environment.get("devices", 1)
        config = replace(state.config, dataset=options["dataset"])
        return Run(framework, state.model, config, load(config.dataset), device=state.device, devices=devices)
    dataset = load(options.get("dataset", TrainConfig().dataset))
    model_config, config = make_configs(options, image_shape=dataset.image_shape)
    placement = {"device": options.get("device", "auto"), "devices": options.get("devices", 1)}
    return Run(framework, model_config, config, dataset, **placement)


def name_devices(run: Run) -> str:
    """Return the device, with the number of devices if there are several."""
    return run.trainer.device if run.devices == 1 else f"{run.devices} devices ({run.trainer.device})"


def follow_run(run: Run, path: Path, origin: dict[str, Any], recorder: Recorder, snapshots: list[int]) -> int | None:
    """Record the run's epochs as they end, and return the signal that ended it, if one did."""
    with StopRequest(_announce) as stop:
        for epoch in run.train(path, origin=origin, snapshots=snapshots):
            assert run.best is not None, "the first epoch is the best so far"
            recorder.epoch(epoch, run.best)
            if stop.number is not None:
                break
        return stop.number


def finish_run(run: Run, path: Path, recorder: Recorder, *, draws_figures: bool) -> None:
    """Measure the best epoch on the test images, write companion file and model card, and record the figures.

    The run's state says that it is finished only after all of that, so that `--resume` repeats what was interrupted.
    """
    measured = run.test(path)
    assert run.best is not None, "it was measured"
    error = measured.elbo_standard_error
    spread = "" if error is None else f" +- {error:.2f}"
    line = (
        f"test -ELBO {-measured.elbo:.2f}{spread} nats "
        f"(-log-likelihood {-measured.log_likelihood:.2f}, KL {measured.kl_divergence:.2f}), "
        f"{count_of(len(run.dataset.test), 'image')}, target {EVALUATION_TARGET}, {count_of(TEST_DRAWS, 'draw')}"
    )
    recorder.result(run.best, path, line)
    write_documents(path, run.dataset)
    if draws_figures:
        recorder.draw_figures(run.best)
    run.finish(path)


def is_complete(path: Path, *, with_figures: bool) -> bool:
    """Return whether everything that `finish_run` writes is beside a finished run's checkpoint."""
    names = [locate(path).companion.name, "README.md", *([FIGURES] if with_figures else [])]
    return all(path.with_name(name).exists() for name in names)


def _announce(received: signal.Signals) -> None:
    _errors.print(f"{received.name}: stopping after this epoch; a second one ends at once")
