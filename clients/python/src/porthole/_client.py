"""The asyncio client: a daemon of its own, or a client that runs."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Callable, List, Optional, Sequence, Union

from ._connection import Connection, Listener
from .types import (
    AccessSpec,
    AcmeSpec,
    AsyncContract,
    InitializeParams,
    InitializeResult,
    RelaySpec,
    RouteSpec,
    TunnelSpec,
    TunnelStartParams,
)
from ._signing import Identity, SigningIdentity
from ._place import StrPath, socket_path, state_folder
from ._tunnel import AsyncTunnel
from .errors import PortholeError

RPC_VERSION = 1
DEFAULT_COMMAND = ("porthole", "daemon", "--stdio")
# Stopping every tunnel takes the daemon 15 seconds at most.
_END_SECONDS = 20.0
_INTRODUCTION_SECONDS = 60.0


class AsyncClient(AsyncContract):
    """A connection to a daemon, by `start_client` or `attach`. It ends with their `async with` block.

    `call` makes any request of the contract, `on` listens to its notifications; `expose` does the common thing.
    """

    def __init__(self, connection: Connection, about: InitializeResult, folder: str) -> None:
        self._connection = connection
        self.about = about
        self._folder = folder
        self._tunnels: List[AsyncTunnel] = []

    async def call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:
        return await self._connection.call(method, params, timeout=timeout)

    def on(self, name: Any, listener: Listener) -> Callable[[], None]:
        return self._connection.on(name, listener)

    @property
    def closed(self) -> Optional[PortholeError]:
        """Why the daemon is gone; `None` while it is there."""
        return self._connection.reason

    async def expose(
        self,
        local: Union[int, str],
        *,
        invite: Optional[str] = None,
        relay: Union[str, RelaySpec, None] = None,
        tunnel: str = "program",
        identity: Optional[Identity] = None,
        name: Optional[str] = None,
        access: Optional[AccessSpec] = None,
        acme: Optional[AcmeSpec] = None,
        routes: Optional[Sequence[RouteSpec]] = None,
        wait_for_certificate: bool = True,
        timeout: float = 120,
        **more: Any,
    ) -> AsyncTunnel:
        """Exposes a port or an address, and returns when visitors can come.

        `tunnel` names the key, and with it the address: `tunnels/NAME.pem` in the state folder. `invite` is used up by the
        first start and harmless later; without it and `relay` the relays are used that `porthole join` has added. `more`
        are further fields of `TunnelSpec`, such as `transport="h2"`. `identity` is the key itself, or a `SigningIdentity`.
        """
        relays: Optional[List[RelaySpec]] = None
        if relay is not None:
            relays = [{"address": relay}] if isinstance(relay, str) else [relay]
        elif invite is not None:
            relays = [(await self.call("relay/add", {"invite": invite}))["relay"]]
        path = os.path.join(self._folder, "tunnels", f"{tunnel}.pem")
        spec: TunnelStartParams = {
            **more,  # type: ignore[typeddict-item]
            "id": tunnel,
            "primary": {"identity": {"path": path} if identity is None else self._connection.signers.hold(identity), "local": str(local)},
            "inspect": more.get("inspect", {}),
            "untilCallerLeaves": True,
        }
        given = {"relays": relays, "name": name, "access": access, "acme": acme, "routes": routes}
        spec.update({key: value for key, value in given.items() if value is not None})  # type: ignore[typeddict-item]
        exposed = AsyncTunnel(self._connection, spec)
        try:
            await exposed.start(wait_for_certificate, timeout)
        except BaseException:
            await exposed.close()
            raise
        return exposed

    async def provide(self, identity: SigningIdentity) -> None:
        """Signs by this key from now on, for a tunnel that runs already: for a program that attaches again."""
        self._connection.signers.hold(identity)
        await self.call("identity/provide", {"publicKey": identity.ref["publicKey"]})


@asynccontextmanager
async def start_client(
    *,
    command: Sequence[str] = DEFAULT_COMMAND,
    state_dir: Optional[StrPath] = None,
    owner: Optional[Identity] = None,
) -> AsyncIterator[AsyncClient]:
    """Starts a daemon, which ends with the block and with this program, however that ends.

    `command` starts it; `state_dir` is where keys, certificates and joined relays are kept, the client's own folder when
    absent. `owner` is the key that relays know the person by.
    """
    folder = state_folder(state_dir)
    key: Identity = {"path": str(folder / "primary-key.pem")} if owner is None else owner
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
    except OSError as cause:
        hint = "Install it with: npm install --global porthole"
        raise PortholeError("unavailable", f"{command[0]} can't be started", hint=hint) from cause
    assert process.stdin is not None and process.stdout is not None
    try:
        params: InitializeParams = {
            "rpcVersion": RPC_VERSION,
            "client": _self(),
            "stateDir": str(folder),
            "owner": key.ref if isinstance(key, SigningIdentity) else key,
        }
        async with _connected(process.stdout, process.stdin, params, str(folder), key) as client:
            yield client
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def attach(state_dir: Optional[StrPath] = None) -> AsyncIterator[AsyncClient]:
    """Attaches to the client that runs with this state folder. It continues when the block ends.

    Raises `PortholeError`: `unavailable` when none runs.
    """
    folder = state_folder(state_dir)
    path = socket_path(folder)
    try:
        if sys.platform == "win32":
            loop = asyncio.get_running_loop()
            assert isinstance(loop, asyncio.ProactorEventLoop)
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.create_pipe_connection(lambda: protocol, path)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        else:
            reader, writer = await asyncio.open_unix_connection(path)
    except OSError as cause:
        hint = "Start one with: porthole PORT"
        raise PortholeError("unavailable", f"No client runs with the folder {folder}", hint=hint) from cause
    params: InitializeParams = {"rpcVersion": RPC_VERSION, "client": _self()}
    try:
        async with _connected(reader, writer, params, str(folder)) as client:
            yield client
    finally:
        writer.close()


@asynccontextmanager
async def _connected(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    params: InitializeParams,
    folder: str,
    owner: Optional[Identity] = None,
) -> AsyncIterator[AsyncClient]:
    connection = Connection(reader, writer)
    if owner is not None:
        connection.signers.hold(owner)
    reading = asyncio.ensure_future(connection.run())
    try:
        about = await connection.call("initialize", params, timeout=_INTRODUCTION_SECONDS)
        yield AsyncClient(connection, about, folder)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _self() -> Any:
    version = ".".join(map(str, sys.version_info[:3]))
    return {"name": "python", "version": version}


__all__ = ["AsyncClient", "TunnelSpec", "attach", "start_client"]
