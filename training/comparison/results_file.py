"""`comparison.json`: what every section found, kept after each measurement, so that one can be taken anew alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from training.errors import TrainingError
from training.tensor_file import replace_file

FORMAT: Final = "triptych-comparison-1"
FILE: Final = "comparison.json"


class Record:
    """The file of a folder, read or new."""

    def __init__(self, folder: Path, *, smoke: bool) -> None:
        """Read what is there.

        Raises:
            TrainingError: It isn't a comparison's, or its sizes are others than are asked for.
        """
        self.path = folder / FILE
        self.content: dict[str, Any] = {"format": FORMAT, "smoke": smoke, "sections": {}}
        if not self.path.exists():
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{self.path}: can't be read: {error}; delete it, or choose another --out") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise TrainingError(f"{self.path}: expected a comparison of format {FORMAT}: choose another --out")
        if found.get("smoke") != smoke:
            raise TrainingError(f"{self.path}: figures with --smoke and without it don't mix: choose another --out")
        self.content = found

    def section(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a section to add to, new where its settings were others: figures of different settings don't mix."""
        sections = self.content["sections"]
        plain = json.loads(json.dumps(dict(settings)))
        if sections.get(name, {}).get("settings") != plain:
            sections[name] = {"settings": plain}
        section: dict[str, Any] = sections[name]
        return section

    def save(self) -> None:
        """Replace the file.

        Raises:
            CheckpointError: It can't be written.
        """
        replace_file(self.path, (json.dumps(self.content, indent=1) + "\n").encode())
