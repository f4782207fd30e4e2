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
          losses of the first {PARITY_STEPS} steps agree within {LOSS_LIMIT:g} (relative), and the logits of every
          checkpoint in every framework with those in float64 within {LOGITS_LIMIT:g}, nothing is timed.
          {_parity(content)}
        - **The same work.** One architecture, one loss (-ELBO), one recipe, batches of one size, the same images in the
          same order (drawn by NumPy), float32 everywhere, matrix products in full float32 (no TF32).
        - **The same machine**, one timing at a time, each in a fresh process, with as many threads as each framework
          takes by itself: the tables name them. Quality runs aren't timed: threads and load only change them by
          rounding.
        - **Warm-up apart.** The first call, in which frameworks compile, is never mixed with later ones.
        - **Clocks stop when the work is done**: a span ends with its figures in NumPy; nothing is left running.
        - **Several runs**: medians, with the least and the most in brackets, over all processes and rounds.
        """
    unfair = """\
        - *Compiled* is not one thing: JAX compiles an epoch as one scan; TensorFlow a loop of the graph, whose steps
          XLA compiles; PyTorch compiles the ELBO with its gradients, and the moving average, each whole
          (`torch.compile` with `fullgraph=True`; a graph break is an error), and a Python loop calls them and the fused
          Adam. It is what each allows. *Warm cache* starts with the compiled code of an earlier process, the others
          with none; *max-autotune* is a mode of `torch.compile`.
        - *Eager* is PyTorch's normal way, and nobody's in JAX: `jax.disable_jit` is for debugging. TensorFlow's is
          `run_functions_eagerly(True)`. A part of an eager epoch is timed, and multiplied.
        - Initial weights and noise of the training and quality runs are each framework's own, from the same seed: only
          the agreement section, and the parity check, give all three the same numbers. Test images, and the noise of
          the test figures, are the same for all.
        - Seconds of a whole run, and to an ELBO, are computed: compiling plus epochs times the median epoch of the
          training section. Validation and saving are left out of them.
        - Inference is JAX by `jax.jit` (compiled for each batch size), TensorFlow by `tf.function` (traced once,
          without XLA) and PyTorch in `torch.inference_mode` (not compiled): much as the service does it, but not the
          service. Rows that name XLA or `torch.compile` compile these two as well. A call goes from NumPy to NumPy,
          copies included.
        - Memory is the whole process's, with Python, the framework and the images in it. Start-up was measured with the
          packages' files in the system's cache. Sizes are those of the builds installed here.
        - The load averages above count this command's own processes too; where they are well above the cores, something
          else took part of the machine.
        - One machine, one small model: about what an operation costs in each framework more than about large models.
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
    everything = [origin for found in origins.values() for origin in found]
    lines = []
    for machine in dict.fromkeys(origin["machine"] for origin in everything):
        lines.append(f"**{machine}.** {_versions(everything, machine)}.")
        lines.append("")
    for name, found in origins.items():
        commits = ", ".join(dict.fromkeys(f"`{str(origin['commit'])[:10]}`" for origin in found))
        changed = ", with changes not committed" if any("(changed)" in str(each["commit"]) for each in found) else ""
        loads = [origin["load_average"] for origin in found]
        load = f"{min(loads):.1f}" if min(loads) == max(loads) else f"{min(loads):.1f} to {max(loads):.1f}"
        times = sorted(origin["time"] for origin in found)
        machines = " and ".join(dict.fromkeys(origin["machine"] for origin in found))
        commands = " and ".join(dict.fromkeys(f"`{origin['command']}`" for origin in found if "command" in origin))
        lines.append(
            f"- {name}: {times[0][:10]}, {machines}, commit {commits}{changed}, load average {load}, "
            f"by {commands or 'a command that was not recorded'}"
        )
    return [*lines, ""]


def _versions(origins: list[Mapping[str, Any]], machine: str) -> str:
    found: dict[str, set[str]] = {}
    for origin in origins:
        if origin["machine"] == machine:
            for name, version in origin["versions"].items():
                found.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(versions))}" for name, versions in found.items())


def _parity(content: Mapping[str, Any]) -> str:
    found = [
        entry["parity"]
        for name in ("inference", "training")
        for entry in content["sections"].get(name, {}).get("frameworks", {}).values()
    ]
    if not found:
        return "(Nothing was timed yet.)"
    names = ", ".join(FRAMEWORKS[framework].title for framework in found[0]["frameworks"])
    return (
        f"Found before these timings, over {max(each['steps'] for each in found)} steps of {names}: "
        f"{scientific(max(each['loss'] for each in found))} and {scientific(max(each['logits'] for each in found))}."
    )
