"""Put the tables of `docs/performance.md` in their places, from what `python -m benchmarks.serving --json` wrote.

python docs/scripts/performance_tables.py docs/performance.json
"""

import argparse
import json
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path, help="file that `--json` named")
    recorded = json.loads(parser.parse_args().record.read_text(encoding="utf-8"))
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), recorded), encoding="utf-8")
