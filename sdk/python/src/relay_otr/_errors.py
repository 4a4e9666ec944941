"""Errors of calls, and refusals as values."""
from __future__ import annotations

from typing import Generic, TypeVar

import grpc

from .v1 import status_pb2

T = TypeVar("T")
_DETAILS = "grpc-status-details-bin"


class RelayError(Exception):
    """A call or stream failed: the server refused it, or could not be reached."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(error.details() or error.code().name)
        self.code: str = error.code().name
        """The name of the gRPC status; UNAVAILABLE if no connection could be made, whatever the reason."""
        self.reason = ""
        """The stable reason; empty if the server gave none."""
        self.violations: list[tuple[str, str]] = []
        """The invalid fields of the request, each with a description."""
        self.retry_after: float | None = None
        """Seconds before the same request may be retried; None if the server gave none."""
        for name, value in error.trailing_metadata() or ():
            if name == _DETAILS:
                self._read(value)

    def _read(self, details: bytes) -> None:
        try:
            status = status_pb2.Status.FromString(details)
            for detail in status.details:
                kind = detail.type_url.rsplit("/", 1)[-1]
                if kind == "google.rpc.ErrorInfo":
                    self.reason = status_pb2.ErrorInfo.FromString(detail.value).reason
                elif kind == "google.rpc.BadRequest":
                    violations = status_pb2.BadRequest.FromString(detail.value).field_violations
                    self.violations = [(v.field, v.description) for v in violations]
                elif kind == "google.rpc.RetryInfo":
                    delay = status_pb2.RetryInfo.FromString(detail.value).retry_delay
                    self.retry_after = delay.seconds + delay.nanos / 1e9
        except Exception:  # pylint: disable=broad-except
            # Details that cannot be read are ignored: DecodeError's home differs between versions of protobuf.
            pass

    @property
    def is_passing(self) -> bool:
        """True for a transient error: the same request, with the same id, may succeed later. It may also have succeeded already."""
        if self.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"):
            return True
        if self.code == "RESOURCE_EXHAUSTED":
            return self.retry_after is not None
        # Without a reason, the error comes from a broken connection and not from the server.
        return self.code in ("INTERNAL", "UNKNOWN") and not self.reason

    @property
    def is_of_server(self) -> bool:
        """True if this server or the connection to it failed, so that another one may succeed."""
        return self.is_passing and self.code != "RESOURCE_EXHAUSTED" and self.reason != "CONVERSATION_UNAVAILABLE"

    @property
    def is_refusal(self) -> bool:
        """
        True if the conversation's state or the text is the cause, so that a peer may have brought it about; False if the key, the request
        or the server is.
        """
        if self.code in ("FAILED_PRECONDITION", "DATA_LOSS"):
            return True
        if self.code == "NOT_FOUND":
            return self.reason == "CONVERSATION_NOT_FOUND"
        if self.code == "RESOURCE_EXHAUSTED":
            return self.retry_after is None
        return self.code == "INVALID_ARGUMENT" and bool(self.violations) and all(f == "text" for f, _ in self.violations)


class Outcome(Generic[T]):
    """
    The server's answer to a bot's request: carried out, or refused because of the conversation's state or of the text. Refusals are values
    because peers cause them, for example by ending a session a moment before the bot replies.
    """

    def __init__(self, response: T | None, refusal: RelayError | None = None) -> None:
        self._response = response
        self.refusal = refusal
        """Why nothing was done; None if the request was carried out."""

    @property
    def is_accepted(self) -> bool:
        """True if the request was carried out."""
        return self.refusal is None

    @property
    def response(self) -> T:
        """The response of a request that must have been carried out. Raises the refusal otherwise."""
        if self.refusal is not None:
            raise self.refusal
        assert self._response is not None
        return self._response
