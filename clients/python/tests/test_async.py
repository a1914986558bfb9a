from __future__ import annotations

import asyncio
import socket
from typing import Any, Awaitable, Callable, List

import porthole
from porthole import AsyncClient, PortholeError

from world import DAEMON, Case, visit


class Asyncio(Case):
    def run_client(self, work: Callable[[AsyncClient], Awaitable[None]]) -> None:
        async def main() -> None:
            async with porthole.start_client(command=DAEMON, state_dir=self.folder) as client:
                await asyncio.wait_for(work(client), 60)

        asyncio.run(main())

    def test_yields_requests_until_the_tunnel_ends(self) -> None:
        async def work(client: AsyncClient) -> None:
            tunnel = await client.expose(self.port, **self.options)
            paths: List[str] = []

            async def read() -> None:
                async for request in tunnel.requests():
                    paths.append(f"{request['method']} {request['path']} {request['status']}")
                    if len(paths) == 3:
                        await tunnel.close()

            reading = asyncio.ensure_future(read())
            await asyncio.sleep(0)
            for path in ("/1", "/2?secret=1", "/3"):
                await in_thread(lambda: visit(tunnel.state, "GET", path))
            await reading
            self.assertEqual(paths, ["GET /1 200", "GET /2 200", "GET /3 200"])

        self.run_client(work)

    def test_exposes_several_at_once_and_waits_for_each(self) -> None:
        async def work(client: AsyncClient) -> None:
            tunnels = await asyncio.gather(
                *(client.expose(self.port, tunnel=name, **self.options) for name in ("a", "b", "c"))
            )
            self.assertEqual(len({tunnel.url for tunnel in tunnels}), 3)
            waiting = [asyncio.ensure_future(tunnel.wait_for_request()) for tunnel in tunnels]
            for index, tunnel in enumerate(tunnels):
                await in_thread(lambda: visit(tunnel.state, "GET", f"/{index}"))
            details = await asyncio.gather(*waiting)
            self.assertEqual([detail["summary"]["target"] for detail in details], ["/0", "/1", "/2"])

        self.run_client(work)

    def test_a_cancelled_request_leaves_the_connection_usable(self) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        params: porthole.types.RelayTestParams = {"relay": {"address": f"127.0.0.1:{silent.getsockname()[1]}"}}

        async def work(client: AsyncClient) -> None:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(client.call("relay/test", params), 0.2)
            with self.assertRaises(PortholeError) as caught:
                await client.call("relay/test", params, timeout=0.2)
            self.assertEqual(caught.exception.code, "timeout")
            self.assertEqual(await client.call("tunnel/list", {}), {"tunnels": []})

        self.run_client(work)


async def in_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work)
