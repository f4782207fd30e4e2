"""Put the tables of `docs/performance.md` in their places, from what `python -m benchmarks.serving --json` wrote.

python docs/scripts/performance_tables.py docs/performance.json
"""

import json
import sys
from pathlib import Path

from benchmarks.records import fill_place
from benchmarks.serving.measurements import render

PAGE = Path(__file__).parents[1] / "performance.md"


def fill(page: str, records: dict[str, dict[str, object]]) -> str:
    """Return the page with what stands between `<!-- NAME -->` and `<!-- end -->` replaced by the part's table."""
    for name, record in records.items():
        page = fill_place(page, name, render(name, record))
    return page


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), recorded), encoding="utf-8")
