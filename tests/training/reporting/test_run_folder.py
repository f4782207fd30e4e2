"""The folder of a run: its config, its epochs as JSON lines, TensorBoard events."""

import json
import math

import pytest

from tests.support.models.event_reader import read, steps
from tests.support.runs import CONFIG, MODEL, make_dataset, make_epoch, make_record
from training.errors import RunFolderError
from training.reporting.epoch_records import epoch_record
from training.reporting.run_folder import RunFolder, describe_run, read_metrics


def record(folder, *numbers, resumed_after=0, **config):
    """Record epochs in a folder, as one process."""
    with RunFolder(folder, config, resumed_after=resumed_after) as run:
        for number in numbers:
            run.record(make_record(number))


def test_record_says_what_an_epoch_came_to():
    """Images per second and learning rate are those of its steps: 20 images fill two batches of 8."""
    record = epoch_record(make_epoch(40), CONFIG, train_images=20)

    assert record == {
        "epoch": 40,
        "seconds": 2.0,
        "images_per_second": 8.0,
        "learning_rate": 0.0,
        "train_elbo": -140.0,
        "train_kl_divergence": 60.0,
        "validation_elbo": -70.0,
        "validation_kl_divergence": 61.0,
        "best": True,
    }


def test_metrics_are_on_disk_when_an_epoch_is_recorded(tmp_path):
    """Each epoch is one JSON line, there before the run ends."""
    with RunFolder(tmp_path / "jax", {}) as run:
        run.record(make_record(1))
        run.record(make_record(2))

        lines = (tmp_path / "jax" / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == [make_record(1), make_record(2)]


def test_events_have_what_the_metrics_have(tmp_path):
    """TensorBoard shows ELBO, loss and KL of both parts, the learning rate and the speed."""
    record(tmp_path, 1, 2)

    scalars = {tag: steps(tmp_path, tag) for tag in read(tmp_path).Tags()["scalars"]}
    assert scalars == {
        "elbo/train": [(1, -101), (2, -102)],
        "elbo/validation": [(1, -109), (2, -108)],
        "kl_divergence/train": [(1, 21), (2, 22)],
        "kl_divergence/validation": [(1, 22), (2, 23)],
        "loss/train": [(1, 101), (2, 102)],
        "loss/validation": [(1, 109), (2, 108)],
        "learning_rate": [(n, pytest.approx(make_record(n)["learning_rate"])) for n in (1, 2)],
        "images_per_second": [(1, 8), (2, 8)],
    }


def test_resumed_run_has_every_epoch_once(tmp_path):
    """Epochs after the resumed one are removed from metrics and events."""
    record(tmp_path, 1, 2, 3)

    record(tmp_path, 3, 4, resumed_after=2)

    assert [record["epoch"] for record in read_metrics(tmp_path)] == [1, 2, 3, 4]
    assert [step for step, _ in steps(tmp_path, "elbo/train")] == [1, 2, 3, 4]


def test_new_run_forgets_the_one_before(tmp_path):
    """A new run keeps nothing of an old one, not even unreadable files."""
    record(tmp_path, 1, 2)
    (tmp_path / "metrics.jsonl").write_text("damaged\n")

    record(tmp_path, 1)

    assert read_metrics(tmp_path) == [make_record(1)]
    assert [step for step, _ in steps(tmp_path, "elbo/train")] == [1]


def test_line_that_a_killed_process_left_unfinished_is_dropped(tmp_path):
    """The lines before it are kept."""
    record(tmp_path, 1, 2)
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text()[:-20])

    record(tmp_path, 2, resumed_after=1)

    assert read_metrics(tmp_path) == [make_record(1), make_record(2)]


def _change(**changes):
    return json.dumps(make_record(2) | changes).encode()


@pytest.mark.parametrize(
    "line",
    [
        *(b"damaged", b"[1]", b'{"epoch": "one"}', b'{"epoch": 1}', b"\xff\xfe", b"[" * 100_000),
        *(_change(seconds="2"), _change(train_elbo=None), _change(validation_elbo=math.nan), _change(epoch=True)),
    ],
)
def test_damaged_metrics_are_named_when_a_run_goes_on(tmp_path, line):
    """A whole line that is no epoch's is an error that says where it is and what to do."""
    record(tmp_path, 1)
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")

    with pytest.raises(RunFolderError, match=r"metrics.jsonl: line 2: expected a JSON object .*restore the file"):
        record(tmp_path, 2, resumed_after=1)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}", b'{"starts": 5}', b"[" * 100_000])
def test_damaged_config_is_named_when_a_run_goes_on(tmp_path, content):
    """The message says what to do."""
    record(tmp_path, 1)
    (tmp_path / "config.json").write_bytes(content)

    with pytest.raises(RunFolderError, match=r"config.json: expected a JSON object with starts, .*restore the file"):
        record(tmp_path, 2, resumed_after=1)


def test_metrics_that_cannot_be_read_are_named(tmp_path):
    """A folder in the file's place is an error, and no file is none."""
    assert read_metrics(tmp_path) == []
    (tmp_path / "metrics.jsonl").mkdir()

    with pytest.raises(RunFolderError, match=r"metrics.jsonl: can't be read: Is a directory; restore the file"):
        read_metrics(tmp_path)


def test_config_says_what_the_run_is_and_with_what_it_started(tmp_path):
    """The model, the options, the images and where it runs, with the versions of each start."""
    origin = {"framework": "jax", "framework_version": "1.2", "device": "cpu", "command": "this", "machine": "that"}
    config = describe_run(origin, MODEL, CONFIG, make_dataset())

    record(tmp_path, 1, 2, **config)
    record(tmp_path, 2, resumed_after=1, **config)

    saved_config = json.loads((tmp_path / "config.json").read_text())
    starts = saved_config.pop("starts")
    assert saved_config == {
        **origin,
        "model": MODEL.to_json(),
        "training": CONFIG.to_json(),
        "images": {"train": 20, "validation": 20, "test": 40},
    }
    assert [start["resumed_after"] for start in starts] == [0, 1]
    assert {"python", "numpy"} <= set(starts[0]["versions"])
    assert starts[0]["time"] <= starts[1]["time"]


def test_file_in_the_place_of_the_folder_is_named(tmp_path):
    """Existing files are left alone."""
    (tmp_path / "taken").write_text("mine")

    with pytest.raises(RunFolderError, match=r"taken: can't be written: .*; choose another folder"):
        RunFolder(tmp_path / "taken", {})

    assert (tmp_path / "taken").read_text() == "mine"
