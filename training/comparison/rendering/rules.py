"""The introduction of the page: rules of the measurements, their limits, and their origin."""

import textwrap
from collections.abc import Mapping
from typing import Any

from training.comparison.agreement.section import LOGITS_LIMIT, LOSS_LIMIT, PARITY_STEPS
from training.comparison.config import SECTIONS
from training.comparison.environment import find_origins
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import scientific


def write_rules(content: Mapping[str, Any]) -> list[str]:
    """Return the lines of the rules."""
    rules = f"""\
        - **Parity before timing.** The three are given the same weights, batches and noise, from NumPy. Unless the
          losses of the first {PARITY_STEPS} steps agree within {LOSS_LIMIT:g} (relative), and each framework's logits
          of every checkpoint agree with those computed in float64 within {LOGITS_LIMIT:g}, nothing is timed.
          {_parity(content)}
        - **The same work.** One architecture, one loss (-ELBO), one recipe, batches of one size, the same images in the
          same order (drawn by NumPy), float32 everywhere, matrix products in full float32 (no TF32).
        - **The same machine** for all frameworks of a section ([origin](#origin)), one timing at a time, each in a
          fresh process, with as many threads as each framework takes by itself: the tables name them. Quality runs
          aren't timed: threads and load change them by rounding only.{_mixed(content)}
        - **Warm-up apart.** The first call, in which frameworks compile, is never mixed with later ones.
        - **Clocks stop when the work is done**: a timing ends when its results are in NumPy, with nothing left running.
        - **Several runs**: medians over all processes and rounds, with minimum and maximum in brackets.
        """
    unfair = """\
        - *Compiled* is not one thing: JAX compiles an epoch as one scan; TensorFlow a loop of the graph, whose steps
          XLA compiles; PyTorch compiles the ELBO with its gradients, and the moving average, each whole
          (`torch.compile` with `fullgraph=True`; a graph break is an error), and a Python loop calls them and the fused
          Adam. A section that is marked as stale may have compiled something else. In the training section *warm
          cache* starts with the compiled code of an earlier process, the others with none; *max-autotune* is a mode of
          `torch.compile`.
        - *Eager* is PyTorch's normal mode. In JAX hardly anybody trains so: `jax.disable_jit` is for debugging.
          TensorFlow's is `run_functions_eagerly(True)`. Of an eager epoch only some steps are timed, and multiplied:
          PyTorch's own way too, while the own ways of the other two are timed in whole epochs.
        - Initial weights, noise and drawn pixels of the training and quality runs are each framework's own, from the
          same seed: only the agreement section, the crossed runs and the parity check give all three the same numbers.
          JAX and PyTorch draw a pixel from 16 random bits, TensorFlow from 23. Test images, and the noise of the test
          figures, are the same for all.
        - Adam is the same algorithm in three implementations: JAX's is optax's, PyTorch's its own fused one, and
          TensorFlow's is written here, because Keras adds epsilon elsewhere.
        - Seconds of a whole run, and until an ELBO is reached, are computed: compilation, and epochs times the median
          epoch of the training section, without validation and saving.
        - Inference is JAX by `jax.jit` (compiled for each batch size), TensorFlow by `tf.function` (traced once,
          without XLA) and PyTorch in `torch.inference_mode` (not compiled): much as the service does it, but not the
          service. TensorFlow by XLA and PyTorch by `torch.compile`, where they were measured, have rows of their own. A
          call goes from NumPy to NumPy, copies included.
        - Memory is that of the whole process, with Python, the framework and the images. Start-up was measured with the
          packages' files in the system's cache. Sizes are those of the builds installed here.
        - The load averages above include this command's own processes; where they are well above the number of cores,
          other programs used the machine as well.
        - One machine, one small model: the figures are about the cost of an operation in each framework more than about
          large models.
        """
    return [
        "## The rules",
        "",
        *textwrap.dedent(rules).splitlines(),
        "",
        "### What is still unfair",
        "",
        *textwrap.dedent(unfair).splitlines(),
        "",
    ]


def write_origins(content: Mapping[str, Any]) -> list[str]:
    """Return the lines on machine, versions and commit of each section."""
    origins: dict[str, list[Mapping[str, Any]]] = {
        name: [origin for _, origin in find_origins(content["sections"][name])]
        for name in SECTIONS
        if name in content["sections"]
    }
    everything = [origin for section_origins in origins.values() for origin in section_origins]
    lines = []
    for machine in dict.fromkeys(origin["machine"] for origin in everything):
        lines.append(f"**{machine}.** {_versions(everything, machine)}.")
        lines.append("")
    for name, section_origins in origins.items():
        commits = ", ".join(dict.fromkeys(f"`{str(origin['commit'])[:10]}`" for origin in section_origins))
        changed = (
            ", with changes not committed"
            if any("(changed)" in str(origin["commit"]) for origin in section_origins)
            else ""
        )
        loads = [origin["load_average"] for origin in section_origins]
        load = f"{min(loads):.1f}" if min(loads) == max(loads) else f"{min(loads):.1f} to {max(loads):.1f}"
        times = sorted(origin["time"] for origin in section_origins)
        machines = " and ".join(dict.fromkeys(origin["machine"] for origin in section_origins))
        commands = " and ".join(
            dict.fromkeys(f"`{origin['command']}`" for origin in section_origins if "command" in origin)
        )
        lines.append(
            f"- {name}: {times[0][:10]}, {machines}, commit {commits}{changed}, load average {load}, "
            f"by {commands or 'a command that was not recorded'}"
        )
    return [*lines, ""]


def _versions(origins: list[Mapping[str, Any]], machine: str) -> str:
    versions_by_name: dict[str, set[str]] = {}
    for origin in origins:
        if origin["machine"] == machine:
            for name, version in origin["versions"].items():
                versions_by_name.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(versions))}" for name, versions in versions_by_name.items())


def _mixed(content: Mapping[str, Any]) -> str:
    """Return a sentence that names the sections measured on several machines, or nothing."""
    mixed = [
        name
        for name, section in content["sections"].items()
        if len({origin["machine"] for _, origin in find_origins(section)}) > 1
    ]
    return f" **Not so in {', '.join(mixed)}**: several machines measured a part each." if mixed else ""


def _parity(content: Mapping[str, Any]) -> str:
    parities = [
        entry["parity"]
        for name in ("inference", "training")
        for entry in content["sections"].get(name, {}).get("frameworks", {}).values()
    ]
    if not parities:
        return "(Nothing was timed yet.)"
    names = ", ".join(FRAMEWORKS[framework].title for framework in parities[0]["frameworks"])
    return (
        f"Found before these timings, over {max(parity['steps'] for parity in parities)} steps of {names}: "
        f"{scientific(max(parity['loss'] for parity in parities))} and "
        f"{scientific(max(parity['logits'] for parity in parities))}."
    )
