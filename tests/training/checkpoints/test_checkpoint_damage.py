"""`training.checkpoints.checkpoint` when a file is damaged or foreign: damage is refused, and no file runs code."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.checkpoints import join_file, make_checkpoint, split_file
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.errors import CheckpointError


@pytest.fixture
def path(tmp_path):
    """Return the place of a sound checkpoint."""
    save_checkpoint(tmp_path / "model.safetensors", make_checkpoint())
    return tmp_path / "model.safetensors"


def test_load_when_absent(tmp_path):
    """A file that isn't there is an error that names it and says what to do."""
    with pytest.raises(CheckpointError, match=r"absent: can't be read: there is no such file; train one with"):
        load_checkpoint(tmp_path / "absent")


def test_load_when_a_folder(tmp_path):
    """A folder in the file's place is an error that says so."""
    with pytest.raises(CheckpointError, match="can't be read: Is a directory"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("share", [0, 0.001, 0.004, 0.01, 0.3, 0.5, 0.9, 0.99])
def test_load_when_truncated(path, share):
    """A file cut off anywhere is refused by name."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(CheckpointError, match="model.safetensors: not a whole safetensors file: .*; copy or train"):
        load_checkpoint(path)


def test_load_when_one_byte_is_missing_or_extra(path):
    """A file one byte too short, or too long, is refused."""
    content = path.read_bytes()

    for changed in (content[:-1], content + b"\0"):
        path.write_bytes(changed)
        with pytest.raises(CheckpointError, match="not a whole safetensors file"):
            load_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [b"PK\3\4" + b"\0" * 200, b"\x89HDF\r\n\x1a\n" + b"\0" * 200, b"{}", b"\0" * 100, b"\xff" * 100],
    ids=["zip", "hdf5", "json", "zeros", "ones"],
)
def test_load_when_magic_is_wrong(path, content):
    """A file of another format is refused by name."""
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"model.safetensors: (not a whole|expected a) safetensors"):
        load_checkpoint(path)


@pytest.mark.parametrize("length", [0, 1, 2, 100, 2**32, 2**63, 2**64 - 1])
def test_load_when_header_length_lies(path, length):
    """A header length that isn't the header's is refused, and nothing of that size is set aside."""
    content = path.read_bytes()
    path.write_bytes(length.to_bytes(8, "little") + content[8:])

    with pytest.raises(CheckpointError, match="model.safetensors: "):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "header",
    [b"[]", b'"text"', b"{}", b"{not JSON", b"\xff\xfe", b"[" * 100_000, '{"__metadata__": {}, "a": 1}', '{"a": {}}'],
)
def test_load_when_header_is_foreign(path, header):
    """A header that isn't one of this project's is refused."""
    _, data = split_file(path.read_bytes())
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match="model.safetensors: (expected a safetensors header|metadata 'format')"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": [2, 3]}, r"tensor 'encoder.mean.kernel': expected shape \(3, 2\), found \(2, 3\)"),
        ({"shape": []}, r"tensor 'encoder.mean.kernel': expected shape \(3, 2\), found \(\)"),
        ({"dtype": "F64"}, "tensor 'encoder.mean.kernel': expected dtype F32, found F64"),
        ({"dtype": "BF16"}, "tensor 'encoder.mean.kernel': expected dtype F32, found BF16"),
        ({"dtype": None}, "tensor 'encoder.mean.kernel': expected dtype F32, found None"),
        ({"data_offsets": [0, 24]}, "not a whole safetensors file"),
        ({"data_offsets": [-4, 20]}, "not a whole safetensors file"),
        ({"data_offsets": [0, 2**62]}, "not a whole safetensors file"),
    ],
)
def test_load_when_a_tensor_is_wrong(path, changes, message):
    """A tensor of another shape, type or place is refused, with tensor, expected and found."""
    header, data = split_file(path.read_bytes())
    header["encoder.mean.kernel"] |= changes
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=f"model.safetensors: {message}"):
        load_checkpoint(path)


def test_load_when_a_tensor_is_missing(path):
    """A missing tensor is named, with the shape it should have."""
    header, data = split_file(path.read_bytes())
    del header["decoder.logits.bias"]
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=r"'decoder.logits.bias': expected shape \(6,\), found no such tensor"):
        load_checkpoint(path)


def test_load_when_a_tensor_is_extra(path):
    """A tensor that the architecture hasn't is named."""
    header, data = split_file(path.read_bytes())
    header["conv.kernel"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
    path.write_bytes(join_file(header, data + b"\0" * 4))

    with pytest.raises(CheckpointError, match="tensor 'conv.kernel': expected only encoder.hidden.kernel, .* one more"):
        load_checkpoint(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_load_when_a_number_is_not_finite(path, value):
    """NaN or infinity is refused, with the tensor's name."""
    header, data = split_file(path.read_bytes())
    start, _ = header["encoder.logvar.bias"]["data_offsets"]
    changed = data[:start] + np.float32(value).tobytes() + data[start + 4 :]
    path.write_bytes(join_file(header, changed))

    with pytest.raises(CheckpointError, match="'encoder.logvar.bias': expected finite numbers, found 1 that aren't"):
        load_checkpoint(path)


def test_load_when_a_bit_is_flipped(path):
    """One wrong bit among the weights is found, though the number is as good as any."""
    content = bytearray(path.read_bytes())
    content[-4] ^= 1
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match="weights don't match their SHA-256: expected [0-9a-f]{64}, found"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", None, "metadata 'format': expected 'triptych-vae-1', found None"),
        ("format", "other-1", "metadata 'format': expected 'triptych-vae-1', found 'other-1'"),
        ("config", None, "metadata 'config': expected a JSON object, found None"),
        ("config", "{not JSON", "metadata 'config': expected a JSON object, found '{not JSON'"),
        ("config", "[]", "metadata 'config': expected a JSON object, found '\\[\\]'"),
        ("config", "{}", "metadata 'config': ModelConfig is NoneType: expected a JSON object"),
        ("metrics", None, "metadata 'metrics': expected a JSON object, found None"),
        ("metrics", "[" * 100_000, "metadata 'metrics': expected a JSON object"),
        ("metrics", "3", "metadata 'metrics': expected a JSON object, found '3'"),
        ("weights_sha256", None, "the weights don't match their SHA-256: expected None"),
    ],
)
def test_load_when_metadata_is_wrong(path, key, value, message):
    """Metadata that is absent, no JSON, or JSON of another type is refused, and the key named."""
    header, data = split_file(path.read_bytes())
    header["__metadata__"] = {k: v for k, v in (header["__metadata__"] | {key: value}).items() if v is not None}
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=f"model.safetensors: {message}"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", {}, r"ModelConfig has the fields \[\]: expected"),
        ("model", {"image_shape": [2, 3], "hidden_dim": "3", "latent_dim": 2}, "hidden_dim is '3': expected"),
        ("framework", None, "framework: expected str, found None"),
        ("framework_version", 1, "framework_version: expected str, found 1"),
        ("training", [], r"training: expected dict, found \[\]"),
        ("training", {"dataset": ["mnist"]}, r"dataset: expected a finite number, a string, a boolean or null, found"),
    ],
)
def test_load_when_config_is_wrong(path, key, value, message):
    """A config with a field of another type is refused, and the field named."""
    header, data = split_file(path.read_bytes())
    config = json.loads(header["__metadata__"]["config"]) | {key: value}
    header["__metadata__"]["config"] = json.dumps(config)
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=f"model.safetensors: metadata 'config': {message}"):
        load_checkpoint(path)


class _Bomb:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def test_load_runs_no_code(path, monkeypatch):
    """A pickle, which would run code in other loaders, is refused unread."""
    monkeypatch.chdir(path.parent)
    path.write_bytes(pickle.dumps(_Bomb()))

    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_checkpoint(path)

    assert not Path("executed").exists()


@given(data=st.data())
def test_load_when_mutated(tmp_path_factory, data):
    """However a few bytes are changed, a file is refused, or gives the very same weights."""
    path = tmp_path_factory.mktemp("mutated") / "model.safetensors"
    expected = save_checkpoint(path, make_checkpoint()).weights
    content = bytearray(path.read_bytes())
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4)):
        content[place] = value
    path.write_bytes(content)

    try:
        loaded = load_checkpoint(path)
    except CheckpointError:
        return

    for name, array in loaded.weights.items():
        np.testing.assert_array_equal(array, expected[name])
