"""SIGHUP at a running server, without the signal."""

import asyncio

from app.server.http_server import Server
from tests.support.app import make_service


def test_signal_during_a_reload_reloads_again(checkpoints):
    """Files may have changed after the first reload has read them; two signals meanwhile are one further reload."""

    async def signal_during_a_reload():
        server = Server(make_service(checkpoints))
        gate, reloads = asyncio.Event(), []

        async def reload_and_log():
            reloads.append(len(reloads))
            await gate.wait()

        server._reloader.reload_and_log = reload_and_log
        server._on_sighup()
        await asyncio.sleep(0)
        server._on_sighup()
        server._on_sighup()
        gate.set()
        await server._reloading
        return reloads

    assert asyncio.run(signal_during_a_reload()) == [0, 1]
