"""A Ray cluster of two nodes on this machine: python ray_cluster.py CPUS PORT. Runs in an environment with Ray.

CPUs are those of each node, the port is the dashboard's. Prints a line of JSON when it is up; then obeys a command on
each line of its input, a JSON array of name and arguments, and prints a line with the result.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ray
import yaml
from ray import serve
from ray.cluster_utils import Cluster
from ray.serve.schema import ServeDeploySchema
from ray.util.state import list_actors


def main() -> None:
    """Start the cluster, and obey until the input ends."""
    cpus, port = int(sys.argv[1]), int(sys.argv[2])
    # Ray prints messages of its own, which must not stand among the results.
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Connected before there is a second node, this program is the head's, and outlives the other.
    head = {"num_cpus": cpus, "include_dashboard": True, "dashboard_port": port}
    cluster = Cluster(initialize_head=True, connect=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=cpus)]

    def replicas() -> list[dict[str, Any]]:
        actors = list_actors(filters=[("state", "=", "ALIVE")], detail=True, limit=1000)
        replica_actors = [actor for actor in actors if actor.class_name.startswith("ServeReplica")]
        return [{"pid": actor.pid, "node": actor.node_id} for actor in replica_actors]

    def status() -> dict[str, Any]:
        applications = serve.status().applications
        return {
            name: {
                "status": application.status.value,
                "message": application.message,
                "replicas": {
                    str(state): number
                    for deployment in application.deployments.values()
                    for state, number in deployment.replica_states.items()
                },
            }
            for name, application in applications.items()
        }

    def print_result(value: Any) -> None:
        print(json.dumps(value, default=str), file=results, flush=True)

    commands = {
        "status": status,
        "replicas": replicas,
        "kill": lambda pid: os.kill(pid, signal.SIGKILL),
        "remove_node": lambda: cluster.remove_node(nodes.pop(), allow_graceful=False),
        "add_node": lambda: nodes.append(cluster.add_node(num_cpus=cpus)),
        "round_trip": read_config,
    }
    print_result({"dashboard": cluster.head_node.webui_url, "head": cluster.head_node.node_id})
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print_result(commands[name](*arguments))
    serve.shutdown()
    ray.shutdown()
    cluster.shutdown()


def read_config(path: str) -> dict[str, Any]:
    """Return what Ray understands of the file."""
    content = yaml.safe_load(Path(path).read_text())
    return ServeDeploySchema.model_validate(content).model_dump(mode="json", exclude_unset=True)


if __name__ == "__main__":
    main()
