"""`python -m app models` as a process: list, promote, rollback, history."""

import os
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.app import CHECKOUT
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint


def run(*arguments):
    """Run the command, and return its exit code, output and errors."""
    command = [sys.executable, "-m", "app", "models", *map(str, arguments)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def save(path, seed, elbo):
    """Write a checkpoint with the weights of a seed and a test ELBO; return its ID."""
    metrics = {"test_elbo": elbo, "test_elbo_standard_error": 0.25, "test_target": "fixed"}
    training = {"dataset": "images:/home/ada/cats"}
    checkpoint = make_checkpoint(weights=make_weights(seed=seed), metrics=metrics, training=training)
    return save_checkpoint(path, checkpoint).sha256[:12]


def test_promote_and_rollback_from_the_shell(tmp_path):
    """A promotion reports both checkpoints, and a rollback and the history follow from it."""
    first = save(tmp_path / "served" / "jax" / "cats.safetensors", 0, -100.0)
    second = save(tmp_path / "runs" / "jax" / "model.safetensors", 1, -99.0)
    place = ("--checkpoints", tmp_path / "served", "--name", "cats")

    promoted = run("promote", tmp_path / "runs" / "jax" / "model.safetensors", *place)
    rolled_back = run("rollback", *place)
    history = run("history", *place)

    assert promoted[0] == rolled_back[0] == history[0] == 0
    assert f"jax/cats: {second}, replaces {first}; images:cats, test ELBO -99.00 +- 0.25" in promoted[1]
    assert f"jax/cats: {first}, replaces {second}" in rolled_back[1]
    assert [line.split()[1] for line in history[1].splitlines()] == ["promote", "rollback"]


def test_worse_checkpoint_is_refused_in_one_line(tmp_path):
    """The exit code is 1, the error one line with both figures, and --force overrides it."""
    save(tmp_path / "served" / "jax" / "model.safetensors", 0, -99.0)
    worse = tmp_path / "runs" / "jax" / "model.safetensors"
    save(worse, 1, -100.0)
    arguments = ("promote", worse, "--checkpoints", tmp_path / "served")

    code, output, errors = run(*arguments)
    forced = run(*arguments, "--force")

    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert "-100.00 +- 0.25 nats (target fixed), worse than -99.00 +- 0.25" in errors
    assert "override this check with --force" in errors
    assert forced[0] == 0


@contextmanager
def responding(response):
    """Yield the address of a server that sends these bytes to everyone."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():  # the request's header lines
                pass
            self.wfile.write(response)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def place(tmp_path):
    """A folder with a model in service, and a better checkpoint beside it: the words of a promotion."""
    save(tmp_path / "served" / "jax" / "model.safetensors", 0, -100.0)
    better = tmp_path / "runs" / "jax" / "model.safetensors"
    save(better, 1, -99.0)
    return "promote", better, "--checkpoints", tmp_path / "served"


def read_served(place):
    """Return the checkpoint file in service."""
    return (place[-1] / "jax" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--url", url) for url in ("nonsense", "", "ftp://127.0.0.1", "http://127.0.0.1:abc", "http://[::1")),
        *(
            ("--url", url)
            for url in ("http://127.0.0.1:9/a b", "http://a\nb", "http://h\x01", "http://127.0.0.1:9/\u00e9")
        ),
        ("--url", "http://ada:sec@127.0.0.1:9"),
        ("--api-key", "sec\nret"),
        ("--api-key", "s\u00e9cret\u20ac"),
    ],
)
def test_address_and_key_are_checked_before_the_swap(place, option, value):
    """A wrong one is exit code 2 and one line, which shows no key; nothing is promoted or rolled back."""
    before = read_served(place)

    code, output, errors = run(*place, "--url", "http://127.0.0.1:9", option, value)
    rolled_back = run("rollback", *place[2:], "--url", "http://127.0.0.1:9", option, value)

    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"python -m app models: error: {option} (TRIPTYCH_")
    assert "sec" not in errors
    assert rolled_back == (code, output, errors)
    assert read_served(place) == before


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\n{"status": "ok"}', "the response isn't that of a reload"),
        (b"HTTP/1.1 200 OK\r\n\r\n[1]", "the response isn't that of a reload"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "IncompleteRead"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nno\nkey", "403: no key"),
        (b"nonsense\r\n\r\n", "nonsense"),
        (b"", "closed connection"),
    ],
)
def test_reload_that_fails_is_one_line(place, response, reason):
    """It says that the files are installed and the service serves the old ones."""
    before = read_served(place)

    with responding(response) as url:
        code, _, errors = run(*place, "--url", url)

    assert (code, errors.count("\n")) == (1, 1)
    assert reason in errors
    assert "the files are installed, but the service didn't reload them" in errors
    assert read_served(place) != before


def test_reload_prints_the_messages_of_the_service(place):
    """A reload of the framework is requested, and reported."""
    with responding(b'HTTP/1.1 200 OK\r\n\r\n{"reloaded": {"jax": "jax/model was reloaded"}}') as url:
        code, output, _ = run(*place, "--url", url, "--api-key", "a-key")

    assert code == 0
    assert output.splitlines()[-1] == "jax/model was reloaded"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line(tmp_path, unbuffered):
    """A full disk behind stdout is named; a reader that has seen enough is no error. Neither has a traceback."""
    command = [sys.executable, "-m", "app", "models", "list", "--checkpoints", str(tmp_path)]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    options = {"cwd": CHECKOUT, "env": environment, "stderr": subprocess.PIPE, "text": True}
    reading, writing = os.pipe()
    os.close(reading)

    with Path("/dev/full").open("wb") as full, os.fdopen(writing, "wb") as closed:
        on_full_disk = subprocess.run(command, stdout=full, check=False, **options)
        without_reader = subprocess.run(command, stdout=closed, check=False, **options)

    assert on_full_disk.returncode == without_reader.returncode == 1
    assert on_full_disk.stderr.startswith("python -m app models: error: the output can't be written: No space left")
    assert on_full_disk.stderr.count("\n") == 1
    assert without_reader.stderr == ""


def test_list_shows_each_model_and_no_folder(tmp_path):
    """A line per model, with its shape, data set and figure; the data set without its folder."""
    for framework in ("jax", "pytorch"):
        save(tmp_path / framework / "model.safetensors", 0, -99.0)

    code, output, _ = run("list", "--checkpoints", tmp_path)

    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["jax/model", "pytorch/model"]
    assert "2x3, 2 latents, images:cats, test ELBO -99.00 +- 0.25 nats (target fixed)" in output
    assert "/home" not in output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("promote", "absent.safetensors"), 1, "there is no such file"),
        (("rollback", "--name", "../x"), 2, "model name"),
        (("rollback", "--framework", "theano"), 2, "theano"),
        (("rollback", "--name", "absent"), 2, "no framework has a model 'absent'"),
    ],
)
def test_wrong_options_are_explained(tmp_path, words, code, message):
    """Each error is one line that says what is wrong."""
    exit_code, _, errors = run(*words, "--checkpoints", tmp_path)

    assert exit_code == code
    assert message in errors
    assert errors.count("\n") == 1
