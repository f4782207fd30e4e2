"""The soak's mixed requests for locust, which shows rates and latencies on a page while it runs.

    python -m venv .locust && .locust/bin/pip install -e . httpx locust
    .locust/bin/locust -f benchmarks/locustfile.py --host http://127.0.0.1:8000

429 counts as a success: a full queue rejects on purpose. `TRIPTYCH_API_KEY` is sent where it is set.
"""

import os
import random
import sys
from pathlib import Path
from typing import Final

from locust import FastHttpUser, between, task

# locust looks for modules in this folder first, whose `training` would hide the project's.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]

from benchmarks.soak.requests import exchanges  # noqa: E402 -- after that

KINDS: Final = exchanges()

WEIGHTS: Final = [kind.weight for kind in KINDS]


class MixedUser(FastHttpUser):
    """A client that sends one request after another, each kind as often as in the soak."""

    wait_time = between(0, 0.1)

    @task
    def send(self) -> None:
        """Send one request of a random kind."""
        kind = random.choices(KINDS, WEIGHTS)[0]  # noqa: S311 -- an order
        key = os.environ.get("TRIPTYCH_API_KEY")
        with self.client.request(
            "POST" if kind.body else "GET",
            kind.path,
            params=dict(kind.query),
            headers=dict(kind.headers) | ({"Authorization": f"Bearer {key}"} if key else {}),
            data=kind.body or None,
            name=str(kind),
            catch_response=True,
        ) as response:
            if response.status_code == 429:
                response.success()
