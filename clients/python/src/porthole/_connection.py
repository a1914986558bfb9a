"""JSON-RPC 2.0 with Content-Length headers, over a pair of streams."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, Callable, Dict, List, Optional, Set

from .types import AsyncContract
from ._signing import Signers
from .errors import PortholeError

# A visitor's request with its body may be in an answer.
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MAX_HEADER_LINES = 16

Listener = Callable[[Any], None]


class Connection(AsyncContract):
    """Requests to a daemon, and its notifications. `run` has to run until it returns."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: Dict[int, asyncio.Future[Any]] = {}
        self._listeners: Dict[str, List[Listener]] = {}
        self._reason: Optional[PortholeError] = None
        self._on_closed: Set[Callable[[PortholeError], None]] = set()
        self.signers = Signers()
        # What the daemon asks for, by its number.
        self._answering: Dict[Any, asyncio.Future[None]] = {}

    @property
    def reason(self) -> Optional[PortholeError]:
        """Why the connection has ended; `None` while it has not."""
        return self._reason

    def on_closed(self, listener: Callable[[PortholeError], None]) -> Callable[[], None]:
        self._on_closed.add(listener)
        return lambda: self._on_closed.discard(listener)

    def on(self, name: Any, listener: Listener) -> Callable[[], None]:
        listeners = self._listeners.setdefault(name, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

    async def call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:
        if self._reason is not None:
            raise self._reason
        request = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        try:
            await self._send({"jsonrpc": "2.0", "id": request, "method": method, "params": params})
            return await asyncio.wait_for(answer, timeout)
        except asyncio.TimeoutError:
            await self._cancel(request)
            raise PortholeError("timeout", f"{method} took more than {timeout:g} s", retryable=True) from None
        except asyncio.CancelledError:
            await self._cancel(request)
            raise
        finally:
            del self._waiting[request]

    async def run(self) -> None:
        """Reads until the other end has gone or breaks the protocol. Never raises but when it is cancelled."""
        reason = PortholeError("closed", "The daemon has ended", retryable=True)
        try:
            while True:
                message = await self._read()
                if message is None:
                    break
                await self._take(message)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except PortholeError as error:
            reason = error
        except asyncio.CancelledError:
            reason = PortholeError("aborted", "The connection to the daemon was closed")
            raise
        finally:
            self._end(reason)

    async def _read(self) -> Optional[Dict[str, Any]]:
        length = -1
        for _line in range(_MAX_HEADER_LINES):
            try:
                line = await self._reader.readline()
            except ValueError:
                break
            if line == b"":
                return None
            if line == b"\r\n":
                break
            name, colon, value = line.partition(b":")
            if not colon:
                break
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
        if not 0 <= length <= _MAX_MESSAGE_BYTES:
            raise PortholeError("protocol", "The daemon wrote something else than messages")
        try:
            message = json.loads(await self._reader.readexactly(length))
        except ValueError as cause:
            raise PortholeError("protocol", "The daemon wrote something else than messages") from cause
        if not isinstance(message, dict):
            raise PortholeError("protocol", "The daemon wrote something else than messages")
        return message

    async def _take(self, message: Dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            self._settle(message)
        elif "id" in message:
            number = message["id"]
            self._answering[number] = asyncio.ensure_future(self._answer(number, method, message.get("params")))
        elif method == "$/cancelRequest":
            asked = self._answering.get((message.get("params") or {}).get("id"))
            if asked is not None:
                asked.cancel()
        else:
            for listener in list(self._listeners.get(method, [])):
                listener(message.get("params"))

    async def _answer(self, number: Any, method: str, params: Any) -> None:
        answer: Dict[str, Any] = {"jsonrpc": "2.0", "id": number}
        try:
            if method == "identity/sign":
                answer["result"] = await self.signers.sign(params)
            else:
                answer["error"] = {"code": -32601, "message": f"There is no request {method}"}
        except asyncio.CancelledError:
            if self._reason is not None:
                raise
            # The daemon waits for an answer also to what it has cancelled.
            answer["error"] = {"code": -32800, "message": "The request was cancelled"}
        except Exception as error:
            text = error.message if isinstance(error, PortholeError) else str(error) or type(error).__name__
            data = {"code": "signer", "message": text, "retryable": False}
            answer["error"] = {"code": -32000, "message": text, "data": data}
        finally:
            self._answering.pop(number, None)
        try:
            await self._send(answer)
        except PortholeError:
            pass

    def _settle(self, message: Dict[str, Any]) -> None:
        answer = self._waiting.get(message.get("id", 0) or 0)
        if answer is None or answer.done():
            return
        error = message.get("error")
        if error is None:
            answer.set_result(message.get("result"))
        else:
            answer.set_exception(PortholeError.of(error.get("data") or {"message": error.get("message")}))

    async def _send(self, message: Any) -> None:
        body = json.dumps(message, ensure_ascii=False).encode()
        try:
            self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as cause:
            raise PortholeError("closed", "The daemon has ended", retryable=True) from cause

    async def _cancel(self, request: int) -> None:
        try:
            await self._send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": request}})
        except PortholeError:
            pass

    def _end(self, reason: PortholeError) -> None:
        if self._reason is not None:
            return
        self._reason = reason
        for asked in list(self._answering.values()):
            asked.cancel()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(reason)
        for listener in list(self._on_closed):
            listener(reason)
