"""Put the tables of `docs/performance.md` in their places, from what `python -m benchmarks.serving --json` wrote.

python docs/scripts/performance_tables.py docs/performance.json
"""

import json
import re
import sys
from pathlib import Path

from benchmarks.serving.parts import render

PAGE = Path(__file__).parents[1] / "performance.md"


def fill(page: str, records: dict[str, dict[str, object]]) -> str:
    """Return the page with what stands between `<!-- NAME -->` and `<!-- end -->` replaced by the part's table."""
    for name, record in records.items():
        lines = "\n".join(render(name, record))
        place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        page, found = place.subn(lambda _, lines=lines: f"{lines}\n", page, count=1)
        if not found:
            raise SystemExit(f"{PAGE} has no place for {name}: put the line <!-- {name} --> there, and <!-- end -->")
    return page


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), recorded), encoding="utf-8")
