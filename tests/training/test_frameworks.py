"""`training.frameworks`: names, aliases, and whether a framework is there."""

import sys
from importlib.machinery import PathFinder

import pytest

from training.errors import FrameworkNotInstalledError, UnknownFrameworkError
from training.frameworks import FRAMEWORKS, canonical_framework, is_installed, require_installed


class _BlockingFinder:
    """A finder that knows no module of one package, as if it weren't installed."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        """Find what the usual finder does, apart from the package."""
        return None if name.partition(".")[0] == self.package else PathFinder.find_spec(name, path, target)


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("jax", "jax"),
        ("flax", "jax"),
        ("tensorflow", "tensorflow"),
        ("tf", "tensorflow"),
        ("keras", "tensorflow"),
        ("pytorch", "pytorch"),
        ("torch", "pytorch"),
        ("JAX", "jax"),
        ("PyTorch", "pytorch"),
        ("TF", "tensorflow"),
        (" Keras\n", "tensorflow"),
    ],
)
def test_canonical_framework_of_names_and_aliases(name, framework):
    """Names and aliases, in any case, give the canonical word."""
    assert canonical_framework(name) == framework


@pytest.mark.parametrize("name", ["", "mxnet", "jax,torch", "pytorch2", "x" * 1000])
def test_canonical_framework_when_unknown(name):
    """Any other name is an error of one short line that lists names and aliases."""
    expected = r"expected one of jax, tensorflow, pytorch \(or an alias: flax, tf, keras, torch\)$"

    with pytest.raises(UnknownFrameworkError, match=expected) as caught:
        canonical_framework(name)

    assert repr(name[:40]) in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("framework", "package"),
    [(framework, module) for framework, info in FRAMEWORKS.items() for module in info.modules],
)
def test_require_installed_when_a_package_is_absent(monkeypatch, framework, package):
    """A framework that lacks one package isn't installed, and the error gives the command that installs it."""
    _block(monkeypatch, package)

    with pytest.raises(FrameworkNotInstalledError, match=rf"pip install 'triptych\[{framework}\]'"):
        require_installed(framework)

    assert not is_installed(framework)


def test_is_installed_when_only_a_folder_is_left(monkeypatch, tmp_path):
    """A folder that an uninstall left behind, or that lies beside the script, isn't a framework."""
    (tmp_path / "torch").mkdir()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [PathFinder])
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert not is_installed("pytorch")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_is_installed_when_all_packages_are_there(monkeypatch, tmp_path, framework):
    """A framework whose packages can be found is installed, and finding out runs none of them."""
    for package in (module for info in FRAMEWORKS.values() for module in info.modules):
        monkeypatch.delitem(sys.modules, package, raising=False)
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setattr(sys, "meta_path", [PathFinder])
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    require_installed(framework)

    assert is_installed(framework)


def _block(monkeypatch, package):
    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(sys, "meta_path", [_BlockingFinder(package)])
