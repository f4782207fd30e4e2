"""The mirror rule: the three framework folders have the same files, names, methods and parameters, in one order."""

import ast
from pathlib import Path

import pytest

from training.frameworks import trainable_frameworks
from training.source_alignment import TWINS

TRAINING = Path(__file__).parents[2] / "training"

FILES = (
    "__init__.py",
    "device.py",
    "losses.py",
    "model.py",
    "sampling.py",
    "train.py",
    "weights.py",
)


EXTRA = {
    "jax": {"data_parallel.py"},
    "tensorflow": {"adam.py", "data_parallel.py"},
    "pytorch": {"cuda_graph.py", "data_parallel.py"},
}
"""Files whose interface has no twin: machinery that the other frameworks don't need, or each solves in its own way."""


@pytest.mark.parametrize("framework", trainable_frameworks())
def test_mirror_has_the_same_files(framework):
    """Each folder has these files, and no other but its own machinery."""
    files = {path.name for path in (TRAINING / f"{framework}_vae").iterdir() if path.suffix == ".py"}

    assert files == set(FILES) | EXTRA.get(framework, set())


@pytest.mark.parametrize("framework", trainable_frameworks()[1:])
@pytest.mark.parametrize("file", FILES)
def test_mirror_has_the_same_interface(file, framework):
    """A file defines what its JAX twin does: the same names in the same order, with the same parameters."""
    expected = _interface(TRAINING / "jax_vae" / file)

    assert _interface(TRAINING / f"{framework}_vae" / file) == expected


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("def f(a): pass", "def f(a: int) -> int: return a", True),
        ("def f(a): pass\ndef _g(): pass", "import os\ndef f(a): pass", True),
        ("class A:\n def setup(self): pass", "class A(Base):\n def __init__(self, config): pass", True),
        ("class A:\n def forward(self, x): pass", "class A:\n def call(self, x): pass", True),
        ("def f(): pass", "def g(): pass", False),
        ("def f(a, b): pass", "def f(b, a): pass", False),
        ("def f(a, *, b): pass", "def f(a, b): pass", False),
        ("def f(a=1): pass", "def f(a): pass", False),
        ("def f(): pass\ndef g(): pass", "def g(): pass\ndef f(): pass", False),
        ("Params = dict", "", False),
        ("class A:\n def forward(self, x): pass", "class A:\n def call(self, y): pass", False),
        ("class A:\n def encode(self): pass", "class A:\n pass", False),
        ("class A:\n @property\n def x(self): pass", "class A:\n def x(self): pass", False),
    ],
)
def test_interface_sees_what_differs(tmp_path, first, second, same):
    """The comparison lets the frameworks' own words pass, and nothing else."""
    (tmp_path / "first.py").write_text(first)
    (tmp_path / "second.py").write_text(second)

    assert (_interface(tmp_path / "first.py") == _interface(tmp_path / "second.py")) is same


def _interface(path):
    return list(_definitions(ast.parse(path.read_text(encoding="utf-8")).body, prefix=""))


def _definitions(body, prefix):
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                name = TWINS.get(name, name) if prefix else name
                if name == "__init__":
                    yield f"{prefix}__init__"  # a Flax module's parameters are its fields
                elif not name.startswith("_") or name == "__call__":
                    kind = "property " if "property" in map(ast.unparse, node.decorator_list) else ""
                    yield f"{kind}{prefix}{name}({_parameters(node.args)})"
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield f"class {name}"
                yield from _definitions(node.body, prefix=f"{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                # A class's fields may be a framework's own: layers, an optimizer's state.
                if not prefix and not name.startswith("_"):
                    yield name


def _parameters(arguments):
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(arguments)
