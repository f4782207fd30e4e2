"""Records of measurements: taken with their environment, kept in a JSON file, and put into a Markdown page."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.serving.environment import describe_conditions

Record = dict[str, Any]
"""Figures of one part, its options, and the conditions under which they were measured."""


def take_record(part: ModuleType, options: Any) -> Record:
    """Return what a part measures, with its options (a dataclass) and the environment."""
    busy = os.getloadavg()[0]
    figures = part.measure(options)
    return {"conditions": describe_conditions() | {"load_before": busy}, "options": asdict(options), "figures": figures}


def keep_record(file: Path, name: str, record: Record) -> None:
    """Put a part's record into a JSON file, beside those of other parts."""
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(before | {name: record}, indent=1) + "\n", encoding="utf-8")


def fill_place(page: str, name: str, lines: Sequence[str]) -> str:
    """Return a page with the lines between `<!-- NAME -->` and the next `<!-- end -->`, instead of what stands there.

    Raises:
        SystemExit: The page has no such place.
    """
    text = "\n".join(lines)
    place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    page, replacements = place.subn(lambda _: f"{text}\n", page, count=1)
    if not replacements:
        raise SystemExit(f"the page has no place for {name}: put the line <!-- {name} --> there, and <!-- end -->")
    return page
