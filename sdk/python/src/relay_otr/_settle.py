"""How the server is told what became of an event."""
from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING, Any, Callable, Protocol

from google.protobuf import duration_pb2

from .v1 import subscription_pb2

if TYPE_CHECKING:
    from ._client import RelayClient
    from ._events import BotEvent

# The most cursors of one request.
_MAX_CURSORS = 1000


class Settler(Protocol):
    """Each method returns True once the server has stored it, False if the event was settled or given back before."""

    @property
    def has_ended(self) -> bool:
        """True if the events that came this way and are not settled have been given back."""

    async def ack(self, event: BotEvent) -> bool:
        """Acknowledges an event."""

    async def give_back(self, event: BotEvent, delay: float, terminate: bool, note: str) -> bool:
        """Gives an event back; with terminate it becomes a dead letter at once."""


class EndpointSettler:
    """The events of an endpoint's own stream, which are acknowledged without an answer."""

    has_ended = False

    def __init__(self, acknowledge: Callable[[BotEvent], None]) -> None:
        self._acknowledge = acknowledge

    async def ack(self, event: BotEvent) -> bool:
        """Acknowledges it, and all earlier ones of its endpoint."""
        self._acknowledge(event)
        return True

    async def give_back(self, event: BotEvent, delay: float, terminate: bool, note: str) -> bool:
        """There is no such thing."""
        raise ValueError("Only an event of a subscription can be given back; acknowledge this one, or stop reading.")


class CallSettler:
    """Settles events of a subscription by calls: those that were pulled, and those whose stream has ended."""

    has_ended = False

    def __init__(self, client: RelayClient) -> None:
        self._client = client

    async def ack(self, event: BotEvent) -> bool:
        """Acknowledges it."""
        request = subscription_pb2.AckSubscriptionRequest(name=event.message.subscription, cursors=[event.message.cursor])
        await self._client.call(lambda s: s.subscriptions.AckSubscription, request)
        return True

    async def give_back(self, event: BotEvent, delay: float, terminate: bool, note: str) -> bool:
        """Gives it back."""
        request = subscription_pb2.NackSubscriptionRequest(
            name=event.message.subscription, cursors=[event.message.cursor], delay=duration(delay), terminate=terminate, note=note
        )
        await self._client.call(lambda s: s.subscriptions.NackSubscription, request)
        return True


class SubscribeConnection:
    """
    One connection of a reader to SubscriptionService.Subscribe: the settlements of the events that were delivered on it. Each waits for its
    confirmation.
    """

    def __init__(self, calls: CallSettler, wakeup: asyncio.Event) -> None:
        self._calls = calls
        self._wakeup = wakeup
        self._acks: collections.deque[str] = collections.deque()
        self._nacks: collections.deque[Any] = collections.deque()
        # By cursor: one at a time, because a refusal may overtake the confirmation of an earlier settlement. None: the stream has ended.
        self._waiting: dict[str, asyncio.Future[bool | None]] = {}
        self.has_ended = False

    async def ack(self, event: BotEvent) -> bool:
        """
        Acknowledges it. After the end of the stream it is given back, and yet it is done: the call acknowledges it, whoever has it by then.
        """
        cursor = event.message.cursor
        answer = await self._settle(cursor, lambda: self._acks.append(cursor))
        return await self._calls.ack(event) if answer is None else answer

    async def give_back(self, event: BotEvent, delay: float, terminate: bool, note: str) -> bool:
        """Gives it back. The end of the stream has done so already, and another reader may have it."""
        nack = subscription_pb2.EventNack(cursors=[event.message.cursor], delay=duration(delay), terminate=terminate, note=note)
        answer = await self._settle(event.message.cursor, lambda: self._nacks.append(nack))
        if answer is None:
            return terminate and await self._calls.give_back(event, delay, terminate, note)
        return answer

    def next(self) -> Any:
        """The next request; None if there is none now."""
        if self._nacks:
            return subscription_pb2.SubscribeRequest(nack=self._nacks.popleft())
        if not self._acks:
            return None
        cursors = [self._acks.popleft() for _ in range(min(_MAX_CURSORS, len(self._acks)))]
        return subscription_pb2.SubscribeRequest(ack=subscription_pb2.EventAck(cursors=cursors))

    def confirm(self, settled: Any) -> None:
        """Takes an answer of the server."""
        for cursor in settled.cursors:
            waiting = self._waiting.pop(cursor, None)
            if waiting is not None:
                waiting.set_result(settled.reject_reason == "")

    def end(self) -> None:
        """The connection is gone: what was not confirmed may have been stored, or not."""
        self.has_ended = True
        for waiting in self._waiting.values():
            waiting.set_result(None)
        self._waiting.clear()

    async def _settle(self, cursor: str, send: Callable[[], None]) -> bool | None:
        if self.has_ended:
            return None
        if cursor not in self._waiting:
            self._waiting[cursor] = asyncio.get_running_loop().create_future()
            send()
            self._wakeup.set()
        return await asyncio.shield(self._waiting[cursor])


def duration(seconds: float) -> duration_pb2.Duration:
    """A google.protobuf.Duration."""
    return duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
