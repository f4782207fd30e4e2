"""nginx, HAProxy and Caddy as processes, with the configurations of deploy/proxies on ports of the test."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.deployment.replicas import Replica
from tests.support.live_service import CHECKOUT, kept_port

PROXIES = ("nginx", "haproxy", "caddy")

INSTALLED = [name for name in PROXIES if shutil.which(name) or shutil.which(name, path="/usr/sbin")]

_FOLDER = CHECKOUT / "deploy" / "proxies"

# Debian's packages expect these in the system's configuration: log, temporary files and the inclusion of conf.d.
_NGINX = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {configuration};
}}
"""


@dataclass(frozen=True)
class Site:
    """Two replicas behind all proxies that are installed."""

    replicas: tuple[Replica, Replica]
    urls: dict[str, str]


@contextmanager
def proxying(name: str, ports: Sequence[int], folder: Path) -> Iterator[str]:
    """Run a proxy in front of the two ports, and give the service's address behind it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert path is not None
    folder.mkdir()
    with kept_port() as port, (folder / "output").open("w") as output:
        command = [path, *_arguments(name, port, ports, folder)]
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_listening(port, process, folder / "output")
            yield f"http://127.0.0.1:{port}/vae"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _arguments(name: str, port: int, ports: Sequence[int], folder: Path) -> list[str]:
    published = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "caddy": "Caddyfile"}[name]
    text = (_FOLDER / published).read_text()
    places = {":8080": f":{port}", " 8080": f" 127.0.0.1:{port}", ":8001": f":{ports[0]}", ":8002": f":{ports[1]}"}
    for place, value in places.items():
        text = text.replace(place, value)
    configuration = folder / published
    if name == "caddy":
        text = "{\n\tadmin off\n}\n" + text
    configuration.write_text(text)
    if name == "nginx":
        # As root, nginx would serve as a user who can't write into the test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "main.conf").write_text(_NGINX.format(user=user, folder=folder, configuration=configuration))
        return ["-p", str(folder), "-c", str(folder / "main.conf"), "-e", str(folder / "log")]
    if name == "haproxy":
        return ["-db", "-f", str(configuration)]
    return ["run", "--adapter", "caddyfile", "--config", str(configuration)]


def _wait_until_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
