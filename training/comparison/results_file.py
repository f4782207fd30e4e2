"""`comparison.json`: results of every section, saved after each measurement, so that one can be repeated alone."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from training.checkpoints.safetensors_file import replace_file
from training.errors import TrainingError
from training.frameworks import FRAMEWORKS

FORMAT: Final = "triptych-comparison-1"
FILE: Final = "comparison.json"


def measured_frameworks(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of each measured framework of a section, in the usual order."""
    return {name: section["frameworks"][name] for name in FRAMEWORKS if name in section["frameworks"]}


class ResultsFile:
    """The results file of a folder, read from disk or new."""

    def __init__(self, folder: Path, *, smoke: bool) -> None:
        """Read the file if it exists.

        Raises:
            TrainingError: It isn't a comparison's, or was measured with other sizes.
        """
        self.path = folder / FILE
        self.content: dict[str, Any] = {"format": FORMAT, "smoke": smoke, "sections": {}}
        if not self.path.exists():
            return
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{self.path}: can't be read: {error}; delete it, or choose another --out") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise TrainingError(f"{self.path}: expected a comparison of format {FORMAT}: choose another --out")
        if content.get("smoke") != smoke:
            raise TrainingError(f"{self.path}: figures with --smoke and without it don't mix: choose another --out")
        self.content = content

    def compared_frameworks(self, name: str, requested: Iterable[str]) -> tuple[str, ...]:
        """Return the requested frameworks and those that a section has, in the usual order.

        A section that compares frameworks with each other is measured for all of these, so that it loses none.
        """
        section = self.content["sections"].get(name, {})
        # After an interruption, `weights_of` also has those that are still to be measured.
        names = {*requested, *section.get("frameworks", ()), *section.get("settings", {}).get("weights_of", ())}
        return tuple(framework for framework in FRAMEWORKS if framework in names)

    def section(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a section to add results to; one with other settings is replaced, as their results can't be mixed."""
        sections = self.content["sections"]
        plain = json.loads(json.dumps(dict(settings)))
        if sections.get(name, {}).get("settings") != plain:
            sections[name] = {"settings": plain}
        section: dict[str, Any] = sections[name]
        return section

    def save(self) -> None:
        """Write the file atomically.

        Raises:
            CheckpointError: It can't be written.
        """
        replace_file(self.path, (json.dumps(self.content, indent=1) + "\n").encode())
