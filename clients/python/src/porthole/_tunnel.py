"""Something that is exposed, for asyncio."""

from __future__ import annotations

import asyncio
import base64
from types import TracebackType
from typing import Any, AsyncIterator, Callable, List, Literal, Optional, Type

from ._connection import Connection
from .types import (
    BodyView,
    ExchangeDetail,
    ExchangeSummary,
    ReplayEdit,
    RequestView,
    TunnelInfo,
    TunnelRequestNotification,
    TunnelStartParams,
    TunnelStateView,
)
from .errors import PortholeError

_MAX_WAITING = 1_000
_LIST_LIMIT = 1_000


class AsyncTunnel:
    """A service with a public URL, until `close` is called or its client ends."""

    def __init__(self, connection: Connection, spec: TunnelStartParams) -> None:
        self._connection = connection
        self._spec = spec
        self._state: TunnelStateView = {"endpoints": []}
        self._change = asyncio.Event()
        self._ended: Optional[PortholeError] = None
        self._is_started = False
        self._seen = 0
        self._ends: List[Callable[[], None]] = []

    @property
    def id(self) -> str:
        return self._spec["id"]

    @property
    def url(self) -> str:
        """The public URL, without a slash at its end."""
        return (self.urls or [""])[0]

    @property
    def urls(self) -> List[str]:
        """The public URLs by all relays."""
        return [url for endpoint in self._state["endpoints"][:1] for url in endpoint["urls"]]

    @property
    def state(self) -> TunnelStateView:
        return self._state

    @property
    def ended(self) -> Optional[PortholeError]:
        """Why the tunnel is over: the relay's reason, `closed` without the daemon; `None` while it is not."""
        return self._ended

    async def start(self, wait_for_certificate: bool, timeout: float) -> None:
        self._ends = [
            self._connection.on("tunnel/state", lambda told: self._see(told) if told["id"] == self.id else None),
            self._connection.on("inspect/exchange", lambda told: self._wake() if told["id"] == self.id else None),
            self._connection.on_closed(self._end),
        ]
        await self._connection.call("tunnel/start", self._spec)
        self._is_started = True
        await self._until(lambda: self._is_ready(wait_for_certificate) or None, timeout, "Coming online")

    async def wait_for_request(self, filter: str = "", *, timeout: float = 60) -> ExchangeDetail:
        """Returns the next request that was answered, the oldest first: also one that came before this call.

        `filter` has words such as `method:POST`, `path:/webhooks`, `status:5xx`. Raises `timeout`.
        """

        async def next_one() -> Optional[ExchangeSummary]:
            params: Any = {"tunnel": self.id, "limit": _LIST_LIMIT}
            if filter:
                params["filter"] = {"text": filter}
            listed = await self._connection.call("inspect/list", params)
            fresh = [each for each in listed["exchanges"] if each["seq"] > self._seen and each["state"] != "open"]
            return min(fresh, key=lambda each: each["seq"], default=None)

        found: ExchangeSummary = await self._until(next_one, timeout, "A matching request")
        self._seen = found["seq"]
        return await self.exchange(found["id"])

    async def requests(self) -> AsyncIterator[RequestView]:
        """Yields visitors' requests once they are answered, from now until the tunnel ends. When nobody reads them, those
        beyond 1,000 are dropped."""
        queue: asyncio.Queue[RequestView] = asyncio.Queue(_MAX_WAITING)

        def take(told: TunnelRequestNotification) -> None:
            if told["id"] == self.id and not queue.full():
                queue.put_nowait(told["request"])

        stop = self._connection.on("tunnel/request", take)
        try:
            while self._ended is None:
                getting = asyncio.ensure_future(queue.get())
                ending = asyncio.ensure_future(self._until(lambda: None, None, ""))
                try:
                    await asyncio.wait([getting, ending], return_when=asyncio.FIRST_COMPLETED)
                    if getting.done():
                        yield getting.result()
                finally:
                    getting.cancel()
                    ending.cancel()
                    await asyncio.gather(ending, return_exceptions=True)
        finally:
            stop()

    async def exchange(self, id: str) -> ExchangeDetail:
        """Returns a recorded request with its response, without the bodies. Secrets are redacted."""
        detail: ExchangeDetail = await self._connection.call("inspect/get", {"tunnel": self.id, "id": id})
        return detail

    async def body(self, id: str, side: Literal["request", "response"] = "request") -> bytes:
        """Returns a recorded body without content coding, as it was: nothing is redacted."""
        parts: List[bytes] = []
        offset: Optional[int] = 0
        while offset is not None:
            params: Any = {"tunnel": self.id, "id": id, "side": side, "unredacted": True, "offset": offset}
            view: BodyView = await self._connection.call("inspect/body", params)
            parts.append(base64.b64decode(view["base64"]) if "base64" in view else view.get("text", "").encode())
            offset = view.get("nextOffset")
        return b"".join(parts)

    async def replay(self, id: str, edit: Optional[ReplayEdit] = None, *, timeout: float = 60) -> ExchangeDetail:
        """Sends a recorded request to the local service again, and returns it with the response."""
        params: Any = {"tunnel": self.id, "id": id}
        if edit is not None:
            params["edit"] = edit
        sent = (await self._connection.call("inspect/replay", params))["id"]

        async def done() -> Optional[ExchangeDetail]:
            detail = await self.exchange(sent)
            return None if detail["summary"]["state"] == "open" else detail

        answered: ExchangeDetail = await self._until(done, timeout, "The replay")
        self._seen = max(self._seen, answered["summary"]["seq"])
        return answered

    async def close(self) -> None:
        """Ends the tunnel. Does not raise."""
        for end in self._ends:
            end()
        self._ends = []
        if not self._is_started:
            return
        self._is_started = False
        try:
            await self._connection.call("tunnel/stop", {"id": self.id})
        except PortholeError:
            # The daemon is gone, and the tunnel with it.
            pass
        self._end(PortholeError("aborted", "The tunnel was closed"))

    async def __aenter__(self) -> AsyncTunnel:
        return self

    async def __aexit__(
        self,
        _type: Optional[Type[BaseException]],
        _value: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def _until(self, find: Callable[[], Any], timeout: Optional[float], what: str) -> Any:
        """Looks after each change until `find` returns something. Raises the tunnel's end, or `timeout`."""

        async def look() -> Any:
            while True:
                change = self._change
                found = find()
                if asyncio.iscoroutine(found):
                    found = await found
                if found is not None:
                    return found
                if self._ended is not None:
                    raise self._ended
                await change.wait()

        try:
            return await asyncio.wait_for(look(), timeout)
        except asyncio.TimeoutError:
            raise PortholeError("timeout", f"{what} took more than {timeout:g} s", retryable=True) from None

    def _is_ready(self, with_certificate: bool) -> bool:
        for endpoint in self._state["endpoints"][:1]:
            for certificate in endpoint["certificates"]:
                if with_certificate and certificate["status"] == "failed":
                    raise PortholeError.of(certificate["error"])
            is_online = any(relay["now"]["status"] == "online" for relay in endpoint["relays"])
            is_awaited = any(each["status"] == "pending" for each in endpoint["certificates"])
            return is_online and not (with_certificate and is_awaited) and bool(endpoint["urls"])
        return False

    def _see(self, told: TunnelInfo) -> None:
        self._state = told["state"]
        if "ended" in self._state:
            error = self._state["ended"].get("error")
            self._end(PortholeError("aborted", "The tunnel was stopped") if error is None else PortholeError.of(error))
        self._wake()

    def _end(self, reason: PortholeError) -> None:
        if self._ended is None:
            self._ended = reason
        self._wake()

    def _wake(self) -> None:
        """Something has changed: whoever waits looks again."""
        change, self._change = self._change, asyncio.Event()
        change.set()
