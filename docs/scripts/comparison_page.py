"""Write the page, the plots and code.md of docs/comparison again, from its comparison.json. Measures nothing.

python docs/scripts/comparison_page.py
"""

import json
from pathlib import Path
from typing import Final

from training.comparison.page import write_page

FOLDER: Final = Path(__file__).parents[1] / "comparison"

if __name__ == "__main__":
    for path in write_page(FOLDER, json.loads((FOLDER / "comparison.json").read_text(encoding="utf-8"))):
        print(path)
