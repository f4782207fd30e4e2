"""Reports of a run in progress: the terminal and the run folder."""

from tests.support.models.event_reader import read
from tests.support.runs import CONFIG, make_dataset, make_epoch, make_trained
from training.reporting.progress import QuietReport
from training.reporting.run_folder import RunFolder, read_metrics
from training.reporting.run_reporter import Recorder


def test_recorder_shows_what_the_model_draws_at_round_epochs(tmp_path):
    """TensorBoard has reconstructions and samples of epochs 1, 2, 5, 10, 20, and of no other."""
    with RunFolder(tmp_path, {}) as folder:
        recorder = Recorder(QuietReport(), folder, config=CONFIG, dataset=make_dataset())
        for number in (1, 2, 3, 4, 5):
            recorder.epoch(make_epoch(number), make_trained())

    pictures = {tag: [image.step for image in read(tmp_path).Images(tag)] for tag in ("reconstructions", "samples")}
    assert pictures == {"reconstructions": [1, 2, 5], "samples": [1, 2, 5]}


def test_result_is_printed_and_in_tensorboard(tmp_path, capsys):
    """The line is printed; test metrics and figures are in the events at the best epoch."""
    with RunFolder(tmp_path, {}) as folder:
        recorder = Recorder(QuietReport(), folder, config=CONFIG, dataset=make_dataset())
        recorder.epoch(make_epoch(2), make_trained())
        recorder.result(make_trained(), tmp_path / "model.safetensors", "test -ELBO 109.50")
        recorder.draw_figures(make_trained())

    events = read(tmp_path)
    assert capsys.readouterr().out == "test -ELBO 109.50\n"
    assert [(event.step, event.value) for event in events.Scalars("result/test_elbo")] == [(2, -109.5)]
    names = sorted(path.stem for path in (tmp_path / "figures").iterdir())
    assert names == ["latent_map", "learning_curves", "reconstructions", "samples", "traversal"]
    for name in names:
        (image,) = events.Images(f"result/{name}")
        assert image.encoded_image_string == (tmp_path / "figures" / f"{name}.png").read_bytes()
    assert [record["epoch"] for record in read_metrics(tmp_path)] == [2]
