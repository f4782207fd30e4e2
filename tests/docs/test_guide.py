"""The guide as a site: it builds with every warning an error, fetches nothing, and has all that it is made of."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from mkdocs.exceptions import PluginError

from app.settings import PREFIX, Settings
from tests.support.live_service import CHECKOUT
from training.frameworks import FRAMEWORKS

FETCHED = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\ssrc="(?:https?:)?//|<link\b[^>]*\shref="(?:https?:)?//')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=CHECKOUT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def hooks(monkeypatch):
    """The module of the site's hooks, imported as mkdocs does."""
    monkeypatch.syspath_prepend(CHECKOUT / "docs" / "hooks")
    return import_module("guide")


def test_site_fetches_nothing(site):
    """No page has a script, style, picture or frame from elsewhere."""
    fetching = [page.name for page in site.rglob("*.html") if FETCHED.search(page.read_text(encoding="utf-8"))]

    assert fetching == []


def test_formulas_are_shown_by_the_browser_itself(site):
    """No formula is left as TeX."""
    page = (site / "article.html").read_text(encoding="utf-8")

    assert page.count("<math") > 20
    assert "\\(" not in page
    assert "\\[" not in page


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_article_has_the_source_itself(site, framework):
    """The code in the article is each framework's, and says where it is from."""
    page = (site / "article.html").read_text(encoding="utf-8")

    for file in ("model.py", "losses.py", "train.py"):
        assert f"training/{framework}_vae/{file}, line" in page


def test_reference_has_every_route_setting_and_command(site, client):
    """Nothing that can be asked for or set is left out of the reference."""
    http, settings, commands = (
        (site / "reference" / f"{name}.html").read_text(encoding="utf-8")
        for name in ("http", "settings", "command-line")
    )

    for path, methods in client.get("/openapi.json").json()["paths"].items():
        assert all(f"<code>{method.upper()} {path}</code>" in http for method in methods)
    assert all(f"{PREFIX}{name.upper()}" in settings for name in Settings.model_fields)
    assert all(f"python -m training {name}</code>" in commands for name in ("train", "evaluate", "show", "compare"))
    assert "Folder of the trained models, &lt;framework&gt;/model.safetensors each." in settings
    assert "<code>train</code>: Train, and keep the checkpoint of the best validation epoch.</li>" in commands


@pytest.mark.parametrize(
    "command",
    [
        "twins model.py Encoderr",
        "source training/engine/run.py Run.trainn",
        "mistakes nothing",
        "twinss model.py Encoder",
    ],
)
def test_build_ends_where_a_name_is_gone(hooks, command):
    """A page that names code that was renamed is not built with a hole in it."""
    with pytest.raises(PluginError, match=command.split()[-1] if command.split()[0] != "twinss" else "twinss"):
        hooks.generate(command)


def test_mistakes_are_those_that_were_measured():
    """The guide's figures are of the mistakes that the script has now."""
    measured = json.loads((CHECKOUT / "docs" / "mistakes.json").read_text(encoding="utf-8"))["runs"]

    assert list(measured) == list(import_module("benchmarks.mistakes.catalogue").MISTAKES)


def test_costs_are_beside_the_same_seeds(hooks, monkeypatch):
    """A mistake's cost is the mean of the differences seed by seed; one of a single seed has no range."""

    def run(elbo):
        return {"test": {"elbo": elbo}, "loss": 100.0, "broken_step": None}

    runs = {
        "the right way": {"topic": "", "seeds": {"0": run(-103.0), "1": run(-102.0), "2": run(-101.0)}},
        "near": {"topic": "means", "seeds": {"0": run(-103.25), "1": run(-102.25), "2": run(-101.5)}},
        "far": {"topic": "means", "seeds": {"0": run(-101.5)}},
    }
    monkeypatch.setattr(import_module("mistakes"), "_record", lambda: {"runs": runs})

    table = hooks.generate("mistakes means")

    assert "| the right way, mean of 3 seeds | 102.00 |" in table
    assert "| the right way, seed 0 | 103.00 |" in table
    assert "| near, mean of 3 seeds | 102.33 | +0.33 | +0.25 to +0.50 | 100 |" in table
    assert "| far, seed 0 | 101.50 | \N{MINUS SIGN}1.50 |  | 100 |" in table
