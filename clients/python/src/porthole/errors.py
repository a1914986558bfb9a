"""The one error of this package."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class PortholeError(Exception):
    """Something failed. `code` decides what to do next; the text is for people.

    The codes are those of the daemon (`usage`, `unauthorized`, `unreachable` and others; the set grows), with `closed`
    when the daemon has ended, and `timeout` when it does not answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: Optional[str] = None,
        retryable: bool = False,
        retry_after_ms: Optional[float] = None,
    ) -> None:
        super().__init__(message if hint is None else f"{message}. {hint}")
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> PortholeError:
        """Makes one of an error's data, as the daemon sends it."""
        return cls(
            str(data.get("code", "internal")),
            str(data.get("message", "The daemon failed")),
            hint=data.get("hint"),
            retryable=bool(data.get("retryable", False)),
            retry_after_ms=data.get("retryAfterMs"),
        )
