"""A Ray cluster of two nodes as a process, with the service deployed on it from a copy of `deploy/ray/serve.yaml`."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.deployment.tool_environments import python_tools, run_tool
from tests.support.live_service import CHECKOUT, kept_port

FILE = CHECKOUT / "deploy" / "ray" / "serve.yaml"

PROGRAM = CHECKOUT / "tests" / "interop" / "programs" / "ray_cluster.py"

CPUS_OF_A_NODE = 2


class RayCluster:
    """A running cluster."""

    def __init__(self, process: "subprocess.Popen[str]", tools: Path, folder: Path, port: int) -> None:
        assert process.stdout is not None
        self._process = process
        self._tools = tools
        self._folder = folder
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        started = json.loads(process.stdout.readline())
        self._dashboard = f"http://{started['dashboard']}"
        self.head: str = started["head"]

    def command(self, name: str, *arguments: Any) -> Any:
        """Have `ray_cluster.py` obey a command, and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def deploy(self, *, args: dict[str, Any] | None = None, **deployment: Any) -> None:
        """Deploy, and return once the service is ready; the arguments are those of `send`."""
        self.send(args=args, **deployment)
        self.wait_for(lambda state: state["status"] != "DEPLOYING")
        assert self.state()["status"] == "RUNNING", self.state()

    def send(self, *, args: dict[str, Any] | None = None, **deployment: Any) -> None:
        """Run `serve deploy` with the file, changed to be small enough for this machine.

        Args:
            args: Settings of the service, besides one framework.
            deployment: Options of the deployment; by default two replicas without autoscaling.
        """
        config = yaml.safe_load(FILE.read_text())
        # The nodes are one machine, where only one proxy can have the port.
        config |= {"proxy_location": "HeadOnly", "http_options": {"host": "127.0.0.1", "port": self._port}}
        (application,) = config["applications"]
        application["args"] = {"frameworks": "pytorch", **(args or {})}
        (options,) = application["deployments"]
        del options["autoscaling_config"]
        options |= {"ray_actor_options": {"num_cpus": 1}, "health_check_period_s": 1, "graceful_shutdown_timeout_s": 10}
        options |= deployment or {"num_replicas": 2}
        path = self._folder / "serve.yaml"
        path.write_text(yaml.safe_dump(config))
        run_tool(
            [self._tools / "serve", "deploy", "--address", self._dashboard, path],
            PYTHONPATH=str(CHECKOUT),
            RAY_USAGE_STATS_ENABLED="0",
        )

    def state(self) -> dict[str, Any]:
        """Return the state of the application: status, message, and the number of replicas by state."""
        application: dict[str, Any] = self.command("status").get("triptych", {"status": "DEPLOYING", "replicas": {}})
        return application

    def wait_for(self, holds: Any) -> dict[str, Any]:
        """Return the state once the condition holds for it, which it must within three minutes."""
        deadline = time.monotonic() + 180
        while not holds(state := self.state()):
            assert time.monotonic() < deadline, state
            time.sleep(0.2)
        return state

    def wait_for_replicas(self, count: int) -> None:
        """Return once so many replicas are in service, and none is starting or stopping."""
        self.wait_for(lambda state: state["replicas"] == {"RUNNING": count})


@contextmanager
def ray_cluster(folder: Path) -> Iterator[RayCluster]:
    """Start a cluster; skip the test if Ray can't be installed."""
    constraints = str(CHECKOUT / "constraints.txt")
    tools = python_tools("ray", "-c", constraints, "ray[serve]==2.60.0", f"triptych[pytorch] @ file://{CHECKOUT}")
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
    }
    with kept_port() as port, kept_port() as dashboard, (folder / "log").open("w") as log:
        command = [tools / "python", PROGRAM, str(CPUS_OF_A_NODE), str(dashboard)]
        with subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process:
            try:
                yield RayCluster(process, tools, folder, port)
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(timeout=60)
