"""`python -m app models`: lists the models of a folder, promotes a checkpoint, and rolls back. Serves nothing."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Final

from app.service_address import authorize, is_address
from app.settings import CHECKPOINTS, PREFIX
from training.checkpoints.checkpoint import load_checkpoint, parse_checkpoint
from training.checkpoints.history import Event, History, read_existing_files
from training.checkpoints.model_files import DEFAULT_NAME, ModelFile, check_name, list_models, locate
from training.checkpoints.promotion import promote, roll_back
from training.checkpoints.safetensors_file import read_content
from training.checkpoints.summary import describe_test_elbo, summarize
from training.counts import count_of
from training.errors import ConfigError, TrainingError, UnknownFrameworkError
from training.frameworks import FRAMEWORKS, canonical_framework, framework_choices

_PROGRAM: Final = "python -m app models"

_RELOAD_TIMEOUT_S: Final = 300


def run_models(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit code: 0, 1 if it can't be done, 2 for a wrong option."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.run
    try:
        command(options)
    except (TrainingError, _ReloadFailedError) as error:
        print(f"{_PROGRAM}: error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1
    return 0


class _ReloadFailedError(Exception):
    """The service didn't reload; the files are changed."""


def _list(options: argparse.Namespace) -> None:
    models = [model for framework in FRAMEWORKS for model in list_models(options.checkpoints, framework)]
    for model in models:
        try:
            checkpoint = load_checkpoint(model.path)
        except TrainingError as error:
            print(f"{model}  {error}")
            continue
        height, width = checkpoint.model.image_shape
        size = f"{height}x{width}, {count_of(checkpoint.model.latent_dim, 'latent')}"
        figure = f"test ELBO {describe_test_elbo(checkpoint)}"
        print(f"{model}  {checkpoint.id or ''}  {size}, {summarize(checkpoint).dataset}, {figure}")
    if not models:
        print(f"{options.checkpoints}: no models, which are FRAMEWORK/NAME.safetensors files")


def _promote(options: argparse.Namespace) -> None:
    content = read_content(options.file, advice="train one with `python -m training train`")
    framework = options.framework or parse_checkpoint(options.file, content).framework
    model = ModelFile(options.checkpoints, canonical_framework(framework), check_name(options.name))
    reload = _make_reload(model, options)
    event = promote(
        content,
        model,
        source=options.file,
        side_files=read_existing_files(locate(options.file).side_files),
        force=options.force,
    )
    if event.replaced == event.checkpoint:
        print(f"{model}: {event.checkpoint} is in place already; {event.summary}")
    else:
        print(_describe(model, event))
    _send(reload)


def _roll_back(options: argparse.Namespace) -> None:
    model = _find(options)
    reload = _make_reload(model, options)
    print(_describe(model, roll_back(model)))
    _send(reload)


def _history(options: argparse.Namespace) -> None:
    model = _find(options)
    events = History(model).events
    for event in events:
        print(f"{event.time}  {event.action:8}  {_describe(model, event)}")
    if not events:
        print(f"{model}: no checkpoint was promoted or rolled back")


def _find(options: argparse.Namespace) -> ModelFile:
    name = check_name(options.name)
    if options.framework:
        return ModelFile(options.checkpoints, canonical_framework(options.framework), name)
    models = [model for framework in FRAMEWORKS for model in list_models(options.checkpoints, framework)]
    matching = [model for model in models if model.name == name]
    if len(matching) == 1:
        return matching[0]
    count = "no framework has" if not matching else "several frameworks have"
    raise ConfigError(
        f"{options.checkpoints}: {count} a model {name!r}: name one with --framework ({framework_choices()})"
    )


def _describe(model: ModelFile, event: Event) -> str:
    replaced = f", replaces {event.replaced}" if event.replaced else ""
    return f"{model}: {event.checkpoint}{replaced}{', forced' if event.forced else ''}; {event.summary}"


def _make_reload(model: ModelFile, options: argparse.Namespace) -> urllib.request.Request | None:
    """Return the request that has a running service reload the framework's checkpoints; None without its address.

    Raises:
        ConfigError: The address or the API key can't be sent.
    """
    if options.url is None:
        return None
    if not is_address(options.url):
        raise ConfigError(
            f"--url ({PREFIX}URL) isn't the address of a service: expected http:// or https:// and a host, such as "
            "http://127.0.0.1:8000; correct it, and pass a key with --api-key"
        )
    try:
        headers = authorize(options.api_key)
    except ValueError as error:
        raise ConfigError(f"--api-key ({PREFIX}API_KEY): {error}") from error
    url = f"{options.url.rstrip('/')}/admin/reload?framework={model.framework}"
    return urllib.request.Request(url, method="POST", headers=headers)  # noqa: S310 -- the user's own address


def _send(reload: urllib.request.Request | None) -> None:
    """Send the request, and print which checkpoints the service has reloaded."""
    if reload is None:
        print("a running service serves it after a reload: send it SIGHUP, or name it with --url")
        return
    try:
        messages = _read_messages(reload)
    except (OSError, ValueError, HTTPException) as error:
        why = " ".join(str(error).split())
        raise _ReloadFailedError(
            f"{reload.full_url}: {why}: the files are installed, but the service didn't reload them; send it SIGHUP"
        ) from error
    for message in messages:
        print(message)


def _read_messages(reload: urllib.request.Request) -> list[str]:
    """Return what the service says of each framework.

    Raises:
        HTTPException: The response isn't one of HTTP.
        OSError: The service can't be reached.
        ValueError: It refuses, or responds with something else.
    """
    try:
        with urllib.request.urlopen(reload, timeout=_RELOAD_TIMEOUT_S) as response:  # noqa: S310 -- the same
            content = response.read()
    except urllib.error.HTTPError as error:
        raise ValueError(f"{error.code}: {error.read().decode(errors='replace')[:500]}") from error
    try:
        return [str(message) for message in json.loads(content)["reloaded"].values()]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("the response isn't that of a reload, so this is the address of something else") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description="List, promote and roll back the models of a folder of checkpoints."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    folder = Path(os.environ.get(f"{PREFIX}CHECKPOINTS") or CHECKPOINTS)

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--checkpoints", type=Path, default=folder, help="Folder of the models that are served.")
        return command

    def add_model(command: argparse.ArgumentParser, default: str) -> None:
        command.add_argument("--framework", help=f"Framework that serves it, {framework_choices()}; {default}.")
        command.add_argument("--name", default=DEFAULT_NAME, help=f"Name of the model; {DEFAULT_NAME} unless set.")

    def add_service(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--url", default=os.environ.get(f"{PREFIX}URL") or None, help="Address of a service to reload."
        )
        command.add_argument(
            "--api-key", default=os.environ.get(f"{PREFIX}API_KEY"), help=f"Its API key ({PREFIX}API_KEY)."
        )

    add("list", _list, "List the models: checkpoint, shape, data set, test figure.")
    command = add("promote", _promote, "Check a checkpoint, and serve it in place of the present one, which is kept.")
    command.add_argument("file", type=Path, metavar="FILE", help="A .safetensors file that training wrote.")
    add_model(command, "the one that trained it unless set")
    command.add_argument(
        "--force", action="store_true", help="Even if its test ELBO is worse, or it takes images of another shape."
    )
    add_service(command)
    command = add("rollback", _roll_back, "Serve the checkpoint that the present one replaced.")
    add_model(command, "may be left out where only one has the model")
    add_service(command)
    command = add("history", _history, "List the promotions and rollbacks of a model.")
    add_model(command, "may be left out where only one has the model")
    return parser
