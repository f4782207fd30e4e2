"""Alignment of twin files: every line once, twins in one row under any name."""

import json
from textwrap import dedent

import pytest

from training.comparison.code_size.code_metrics import count_code
from training.comparison.code_size.section import FILES
from training.frameworks import FRAMEWORKS
from training.source_alignment import align_twins, read_twins

JAX = dedent('''\
    """In JAX."""

    import jax


    class VAE:
        """The model."""

        config: int

        def setup(self):
            self.hidden = dense(500)

        def __call__(self, images):
            # A comment.
            return self.decode(images)


    def loss(logits):
        return jax.sum(logits)
    ''')

PYTORCH = dedent('''\
    """In PyTorch."""

    import torch
    from torch import nn


    class VAE(nn.Module):
        """The model."""

        def __init__(self, config):
            super().__init__()
            self.hidden = dense(500)

        def forward(self, images):
            return self.decode(images)


    def _dense(units):
        return units


    def loss(logits):
        return torch.sum(logits)
    ''')


def rows_by_id(**sources):
    """Return the rows of the alignment by id."""
    return {row["id"]: row for row in align_twins(sources)}


def lines_of(rows, framework):
    """Return number and text of a framework's lines, in the order of the rows."""
    cells = [line["cells"][framework] for row in rows for line in row["lines"]]
    return [(cell["number"], cell["text"]) for cell in cells if cell]


@pytest.mark.parametrize("file", FILES)
def test_alignment_has_every_line_of_our_twins_once_and_in_order(file):
    """Nothing is lost, doubled or moved: a page can show whole files from it."""
    sources = read_twins(file, FRAMEWORKS)

    rows = align_twins(sources)

    for framework, source in sources.items():
        assert lines_of(rows, framework) == list(enumerate(source.splitlines(), start=1))


def test_twins_share_a_row_whatever_a_framework_calls_them():
    """`setup` answers to `__init__`, `forward` to `__call__`; what only one has stands where it is there."""
    rows = rows_by_id(jax=JAX, pytorch=PYTORCH)

    assert list(rows) == ["docstring", "imports", "VAE", "VAE.__init__", "VAE.__call__", "_dense", "loss"]
    (call,) = (line["cells"] for line in rows["VAE.__call__"]["lines"] if "def" in str(line))
    assert [cell["text"].split("(")[0] for cell in call.values()] == ["    def __call__", "    def forward"]
    assert all(line["cells"]["jax"] is None for line in rows["_dense"]["lines"])


def test_lines_that_are_equal_stand_beside_each_other():
    """A line that is in both is one line of the row, marked as the same, though lines before it are missing in one."""
    rows = rows_by_id(jax=JAX, pytorch=PYTORCH)

    hidden = [line for line in rows["VAE.__init__"]["lines"] if "hidden" in str(line)]
    comment = [line for line in rows["VAE.__call__"]["lines"] if "# A comment" in str(line)]

    assert [(line["same"], line["cells"]["jax"]["text"]) for line in hidden] == [
        (True, "        self.hidden = dense(500)")
    ]
    assert [(line["same"], line["cells"]["pytorch"]) for line in comment] == [(False, None)]


def test_lines_that_are_alike_stand_beside_each_other():
    """Lines that differ by a framework's own word are aligned."""
    (row,) = (row for row in align_twins({"jax": JAX, "pytorch": PYTORCH}) if row["id"] == "loss")

    texts = [[cell["text"].strip() for cell in line["cells"].values()] for line in row["lines"] if not line["same"]]

    assert texts == [["return jax.sum(logits)", "return torch.sum(logits)"]]


def test_equal_files_are_the_same_and_json():
    """Of a file and itself every row is the same; the result is JSON values."""
    rows = align_twins({"jax": JAX, "pytorch": JAX})

    assert all(row["same"] for row in rows)
    assert json.loads(json.dumps(rows)) == rows


def test_definitions_of_one_name_keep_rows_of_their_own():
    """Overloads and repeated imports are numbered."""
    source = "import a\n\nx = 1\n\nimport b\n\n\ndef f():\n    pass\n\n\ndef f():\n    return 1\n"

    assert [row["id"] for row in align_twins({"jax": source})][:3] == ["imports", "x", "imports#2"]
    assert lines_of(align_twins({"jax": source}), "jax") == list(enumerate(source.splitlines(), start=1))


def test_code_is_counted_without_comments_docstrings_and_blank_lines():
    """Tokens are those of the tokenizer, without line ends and indentation."""
    source = '"""What it is."""\n\n# Why.\ndef f(a):\n    """Return."""\n    return a  # as it is\n'

    assert count_code(source) == {"lines": 6, "code_lines": 2, "tokens": 8}
