"""The check of the project's wording: it finds the forms that it names, and lets plain sentences pass."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.support.live_service import CHECKOUT


@pytest.fixture(scope="module")
def words():
    """The module of the check, which lint runs as a script."""
    spec = spec_from_file_location("check_words", CHECKOUT / ".ci" / "check_words.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", '"""What a module holds."""'),
        ("a.py", 'def f():\n    """Whether it is so."""'),
        ("a.py", 'class A:\n    """Who answers."""'),
        ("a.py", 'x = 1\n"""How many."""'),
        ("a.py", 'def f():\n    """Tell whether it is so."""'),
        ("a.py", "# drawn anew"),
        ("a.py", 'raise ValueError("it was told otherwise")'),
        ("a.js", "// the result that comes of it"),
        ("a.md", "its behaviour"),
        ("a.md", "of one colour"),
        ("Makefile", "# initialise"),
    ],
)
def test_check_finds_a_form_that_it_names(words, path, text):
    """Each form is found wherever it stands, in a docstring, a comment, a message or a document."""
    findings = list(words.check(path, text))

    assert len(findings) == 1
    assert findings[0].startswith(f"{path}:")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", '"""Return whether it is so."""'),
        ("a.py", '"""However it was made."""'),
        ("a.md", "What makes it fair"),
        ("a.md", "The optimizer is renewed; the behavior stays"),
    ],
)
def test_check_lets_plain_sentences_pass(words, path, text):
    """Return whether ..., headings of documents and longer words are no findings."""
    assert list(words.check(path, text)) == []


def test_exempt_paths_exist(words):
    """Every exempt path exists."""
    assert [name for name in words.EXEMPT if not (CHECKOUT / name).exists()] == []
