"""The same without asyncio: each client has a thread with an event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, AsyncContextManager, Callable, Coroutine, Iterator, List, Literal, Optional, Sequence, Type, TypeVar, Union

from . import _client
from ._client import DEFAULT_COMMAND, AsyncClient
from ._connection import Listener
from ._signing import Identity, SigningIdentity
from .types import Contract, ExchangeDetail, InitializeResult, ReplayEdit, TunnelStateView
from ._place import StrPath
from ._tunnel import AsyncTunnel
from .errors import PortholeError

T = TypeVar("T")


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="porthole", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def do(self, work: Callable[[], T]) -> T:
        async def run() -> T:
            return work()

        return self.run(run())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Client(Contract):
    """A connection to a daemon, by `porthole.start` or `porthole.attach`. It ends with their `with` block.

    `call` makes any request of the contract, `on` listens to its notifications, in another thread; `expose` does the common
    thing.
    """

    def __init__(self, loop: _Loop, client: AsyncClient) -> None:
        self._loop = loop
        self._client = client

    @property
    def about(self) -> InitializeResult:
        return self._client.about

    @property
    def closed(self) -> Optional[PortholeError]:
        """Why the daemon is gone; `None` while it is there."""
        return self._client.closed

    def call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:
        return self._loop.run(self._client.call(method, params, timeout=timeout))

    def on(self, name: Any, listener: Listener) -> Callable[[], None]:
        end = self._loop.do(lambda: self._client.on(name, listener))
        return lambda: self._loop.do(end)

    def expose(self, local: Union[int, str], **options: Any) -> Tunnel:
        """As `AsyncClient.expose`, with the same options."""
        return Tunnel(self._loop, self._loop.run(self._client.expose(local, **options)))

    def provide(self, identity: SigningIdentity) -> None:
        """Signs by this key from now on, for a tunnel that runs already: for a program that attaches again."""
        self._loop.run(self._client.provide(identity))


class Tunnel:
    """A service with a public URL, until `close` is called or its client ends. See `AsyncTunnel`."""

    def __init__(self, loop: _Loop, tunnel: AsyncTunnel) -> None:
        self._loop = loop
        self._tunnel = tunnel

    @property
    def id(self) -> str:
        return self._tunnel.id

    @property
    def url(self) -> str:
        """The public URL, without a slash at its end."""
        return self._tunnel.url

    @property
    def urls(self) -> List[str]:
        return self._tunnel.urls

    @property
    def state(self) -> TunnelStateView:
        return self._tunnel.state

    @property
    def ended(self) -> Optional[PortholeError]:
        return self._tunnel.ended

    def wait_for_request(self, filter: str = "", *, timeout: float = 60) -> ExchangeDetail:
        """Returns the next request that was answered, the oldest first. Raises `timeout`."""
        return self._loop.run(self._tunnel.wait_for_request(filter, timeout=timeout))

    def exchange(self, id: str) -> ExchangeDetail:
        """Returns a recorded request with its response, without the bodies. Secrets are redacted."""
        return self._loop.run(self._tunnel.exchange(id))

    def body(self, id: str, side: Literal["request", "response"] = "request") -> bytes:
        """Returns a recorded body without content coding, as it was: nothing is redacted."""
        return self._loop.run(self._tunnel.body(id, side))

    def replay(self, id: str, edit: Optional[ReplayEdit] = None, *, timeout: float = 60) -> ExchangeDetail:
        """Sends a recorded request to the local service again, and returns it with the response."""
        return self._loop.run(self._tunnel.replay(id, edit, timeout=timeout))

    def close(self) -> None:
        """Ends the tunnel. Does not raise."""
        self._loop.run(self._tunnel.close())

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(
        self,
        _type: Optional[Type[BaseException]],
        _value: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.close()


@contextmanager
def start(
    *,
    command: Sequence[str] = DEFAULT_COMMAND,
    state_dir: Optional[StrPath] = None,
    owner: Optional[Identity] = None,
) -> Iterator[Client]:
    """Starts a daemon, which ends with the block and with this program. See `start_client`."""
    with _opened(lambda: _client.start_client(command=command, state_dir=state_dir, owner=owner)) as client:
        yield client


@contextmanager
def attach(state_dir: Optional[StrPath] = None) -> Iterator[Client]:
    """Attaches to the client that runs with this state folder. It continues when the block ends."""
    with _opened(lambda: _client.attach(state_dir)) as client:
        yield client


@contextmanager
def expose(
    local: Union[int, str],
    *,
    command: Sequence[str] = DEFAULT_COMMAND,
    state_dir: Optional[StrPath] = None,
    **options: Any,
) -> Iterator[Tunnel]:
    """Exposes a port or an address for as long as the block lasts, by a daemon of its own. See `AsyncClient.expose`."""
    with start(command=command, state_dir=state_dir) as client, client.expose(local, **options) as tunnel:
        yield tunnel


@contextmanager
def _opened(open: Callable[[], AsyncContextManager[AsyncClient]]) -> Iterator[Client]:
    with ExitStack() as stack:
        loop = _Loop()
        stack.callback(loop.close)
        context = open()
        client = loop.run(_entered(context))
        stack.callback(lambda: loop.run(_left(context)))
        yield Client(loop, client)


async def _entered(context: AsyncContextManager[AsyncClient]) -> AsyncClient:
    return await context.__aenter__()


async def _left(context: AsyncContextManager[AsyncClient]) -> None:
    await context.__aexit__(None, None, None)
