"""The guide: every command and script of its pages runs, in the order in which a reader would follow them."""

import ast
import re
import shlex
import sys
import time
import tomllib
from contextlib import ExitStack
from importlib.metadata import packages_distributions

import numpy as np
import pytest
from PIL import Image

from tests.support.documents import ADDRESS, PYTHON, blocks, lines, run, run_python, scratch, shorten
from tests.support.live_service import CHECKOUT, serving
from training.frameworks import FRAMEWORKS

DOCS = CHECKOUT / "docs"

WITHOUT = {"adr", "comparison"}
"""Folders with no commands for a reader: decisions, and what `python -m training compare` writes."""

PAGES = {
    str(path.relative_to(DOCS)): steps
    for path in sorted(DOCS.rglob("*.md"))
    if path.parent.name not in WITHOUT and (steps := blocks(path.read_text(encoding="utf-8")))
}

UNTESTED = {
    "docker compose up": "needs Docker",
    "docker compose --profile observability up": "needs Docker",
    "docker compose up jax-gpu": "needs Docker and a GPU",
    "docker compose up tensorflow-gpu": "needs Docker and a GPU",
    "docker compose up pytorch-gpu": "needs Docker and a GPU",
    ".venv/bin/pip install -c constraints.txt -e '.[cuda-jax]'": "installs 3 GB",
    ".venv/bin/pip install -c constraints.txt -e '.[cuda-tensorflow]'": "installs 3 GB",
    ".venv/bin/pip install -c constraints.txt -e '.[cuda-pytorch]'": "installs 3 GB",
    ".venv/bin/pip install -c constraints.txt '.[pytorch]'": "installs 1 GB",
    ".venv/bin/python -m app --frameworks jax,pytorch --backends jax=http://127.0.0.1:8000": "needs a backend there",
    ".venv/bin/pip install -c constraints.txt -e '.[pytorch,ray]'": "installs Ray; tests/interop/test_ray.py does",
    "export RAY_USAGE_STATS_ENABLED=0 RAY_SERVE_ENABLE_HA_PROXY=1": "for the next command",
    ".venv/bin/ray start --head --port 6379": "needs Ray; tests/interop/test_ray.py starts a cluster",
    ".venv/bin/serve deploy deploy/ray/serve.yaml": "likewise",
    ".venv/bin/serve status": "likewise",
    ".venv/bin/python -m app --frameworks jax --device cuda": "needs a GPU",
    ".venv/bin/python -m training train --framework jax --device cuda": "needs a GPU",
    ".venv/bin/python -m training train --framework jax --device cuda --devices 2": "needs two GPUs",
    ".venv/bin/python -m training train --framework jax --dataset tfds:fashion_mnist": "downloads",
    ".venv/bin/pip install -c constraints.txt -e '.[sweep]'": "is installed, as a part of the extra dev",
}
"""Commands that can't be tested, and the reasons."""


class Reader:
    """Follows one page, in a folder of its own, with a service in a second terminal."""

    def __init__(self, folder, service, others):
        self.folder = folder
        self._service = service
        self._others = others

    def follow(self, kind, block):
        """Do what one block says."""
        if kind == "python":
            if ADDRESS in block:
                block = block.replace(ADDRESS, str(self._service().base_url))
            self._expect(run_python(block, self.folder))
            return
        for command in lines(block):
            if command not in UNTESTED:
                self._type(command)

    def _type(self, command):
        tokens = shlex.split(command)
        if tokens[0] == "make":
            self._expect(run(f"{command} --dry-run", CHECKOUT))
        elif tokens[:3] == [PYTHON, "-m", "app"] and tokens[3:4] in (["client"], ["status"]):
            self._expect(run(f"{command} --url {self._service().base_url}", self.folder))
        elif PYTHON in tokens and "app" in tokens:
            self._serve(tokens)
        elif tokens[0] == "curl":
            address = str(self._service().base_url)
            self._expect(run(command.replace(ADDRESS, address), self.folder))
            self._look_at([token for token in tokens if token.endswith(".png") and "@" not in token])
        else:
            self._expect(run(shorten(command), self.folder))

    def _serve(self, tokens):
        self._others.close()
        variables = dict(token.split("=", 1) for token in tokens[: tokens.index(PYTHON)])
        options = tokens[tokens.index("app") + 1 :]
        client = self._others.enter_context(serving(*options, log=self.folder / "log", **variables))
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
        self._service = lambda: client

    def _look_at(self, names):
        for name in names:
            with Image.open(self.folder / name) as picture:
                assert picture.format == "PNG"

    @staticmethod
    def _expect(done):
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path):
    """A folder with what readers have: the checkout, and some drawings of theirs."""
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    random = np.random.default_rng(0)
    for number in range(80):
        Image.fromarray(random.integers(0, 256, (20, 30), np.uint8)).save(drawings / f"{number}.png")
    return scratch(tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_page_does_what_it_says(request, folder, page):
    """Each command succeeds after those before it, and each picture that is asked for is one."""
    with ExitStack() as others:
        reader = Reader(folder, lambda: request.getfixturevalue("live_client"), others)

        for kind, block in _joined(PAGES[page]):
            reader.follow(kind, block)


def test_untested_commands_are_in_the_guide():
    """The list of what isn't tested has nothing that no page says any more."""
    documented = {
        command for steps in PAGES.values() for kind, block in steps if kind == "sh" for command in lines(block)
    }

    assert set(UNTESTED) <= documented


def test_scripts_import_what_a_reader_has():
    """No script of the guide or the README needs a package that `make serve` doesn't install."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [project["optional-dependencies"][name] for name in (*FRAMEWORKS, "train")]
    available = {re.match(r"[\w-]+", line)[0] for line in sum(extras, project["dependencies"])}
    pages = [blocks((CHECKOUT / "README.md").read_text(encoding="utf-8")), *PAGES.values()]

    trees = [ast.parse(script) for page in pages for kind, script in page if kind == "python"]

    modules = {module for tree in trees for node in ast.walk(tree) for module in _imported(node)}
    others = modules - sys.stdlib_module_names - {"app", "training"}
    needed = {name.replace("_", "-") for module in others for name in packages_distributions()[module]}
    assert needed <= available


def _imported(node):
    """Return the names of the packages that a statement imports from."""
    if isinstance(node, ast.ImportFrom):
        return [node.module.split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []


def _joined(steps):
    """Return the steps with each script after those before it, in one: a page's scripts build on each other."""
    scripts = []
    for position, (kind, block) in enumerate(steps):
        if kind == "sh":
            yield kind, block
            continue
        scripts.append(block)
        if position + 1 == len(steps) or steps[position + 1][0] == "sh":
            yield kind, "\n".join(scripts)
