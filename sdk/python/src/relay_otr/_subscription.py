"""The reader of a subscription."""
from __future__ import annotations

import asyncio
import collections
import contextlib
import time
from typing import TYPE_CHECKING, Any, Callable

import grpc

from ._connection import Rounds
from ._errors import RelayError
from ._events import BotEvent
from ._settle import CallSettler, SubscribeConnection, duration
from ._stream import CLOSE_TIMEOUT, wait_after
from .v1 import subscription_pb2

if TYPE_CHECKING:
    from ._bot import Bot

# The longest wait of one call that takes events.
_PULL_WAIT = 15
# The time after which the stream is tried again: a server may be upgraded under a bot that runs for years.
_STREAM_RETRY = 600.0


class SubscriptionReader:
    """
    Reads one subscription, and reconnects: by the stream Subscribe, or by pulls where the server, or a proxy before it, has no such stream.
    One consumer takes the events; settlements may come from anywhere.
    """

    def __init__(self, bot: Bot, name: str, credit: int, room: Callable[[], int]) -> None:
        """credit: the number of events that may be unsettled on the stream. room: what a pull asks for, when the consumer waits."""
        self._bot = bot
        self._client = bot.client
        self._name = name
        self._credit = credit
        self._room = room
        self._calls = CallSettler(bot.client)
        self._events: collections.deque[BotEvent] = collections.deque()
        self._arrived = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wakeup = asyncio.Event()
        self._is_waiting = self._is_paused = self._is_closing = False
        self._granted = 0
        self._error: BaseException | None = None
        self._running: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begins to read."""
        self._running = asyncio.ensure_future(self._run())

    async def read(self) -> BotEvent:
        """Takes the next event. Raises RelayError if the server refused permanently."""
        while True:
            while not self._events:
                if self._error is not None:
                    raise self._error
                self._arrived.clear()
                self._is_waiting = True
                self._wanted.set()
                try:
                    await self._arrived.wait()
                finally:
                    self._is_waiting = False
            event = self._events.popleft()
            self._wakeup.set()
            # The end of its stream has given it back, and it comes again.
            if not event.is_given_back:
                return event

    def pause(self) -> None:
        """Lets no further event come, while those that were delivered may be settled."""
        self._is_paused = True
        self._wakeup.set()
        self._wanted.set()

    async def close(self) -> None:
        """Ends the stream: what was delivered and is not settled is given back."""
        self._is_paused = self._is_closing = True
        self._wakeup.set()
        if self._running is None:
            return
        # The time that the server gets to store what was sent.
        await asyncio.wait([self._running], timeout=CLOSE_TIMEOUT)
        self._running.cancel()
        await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            rounds = Rounds(self._client.servers, self._client.options)
            while not self._is_paused:
                try:
                    wait = await self._connect(rounds)
                except RelayError as error:
                    if error.code != "UNIMPLEMENTED":
                        raise
                    await self._pull()
                    continue
                if wait is not None and not self._is_paused:
                    await asyncio.sleep(wait)
        except Exception as error:  # pylint: disable=broad-except
            self._error = error
            self._arrived.set()

    async def _connect(self, rounds: Rounds) -> float | None:
        """One connection. Returns the wait before the next; None for none."""
        server = self._client.servers.current
        call = self._client.servers.services.subscriptions.Subscribe(metadata=self._client.metadata)
        connection = SubscribeConnection(self._calls, self._wakeup)
        writer = asyncio.ensure_future(self._write(call, connection))
        try:
            # A silent connection is dead.
            while (response := await asyncio.wait_for(call.read(), self._client.options.silence_limit)) is not grpc.aio.EOF:
                if response.HasField("draining"):
                    return rounds.fail(server)
                # A drain message does not reset the backoff: otherwise a cluster that drains would be polled without a pause.
                rounds.reset()
                if response.HasField("settled"):
                    connection.confirm(response.settled)
                elif response.HasField("event"):
                    self._give(BotEvent(self._bot, response.event, connection))
            return rounds.stay()
        except asyncio.TimeoutError:
            return rounds.fail(server)
        except grpc.aio.AioRpcError as error:
            return wait_after(rounds, server, RelayError(error))
        finally:
            connection.end()
            call.cancel()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    def _give(self, event: BotEvent) -> None:
        self._events.append(event)
        self._arrived.set()
        self._wakeup.set()

    async def _write(self, call: Any, connection: SubscribeConnection) -> None:
        try:
            self._granted = self._credit
            attach = subscription_pb2.AttachReader(name=self._name, credit=self._credit)
            await call.write(subscription_pb2.SubscribeRequest(attach=attach))
            while True:
                self._wakeup.clear()
                while (request := self._change_of_credit() or connection.next()) is not None:
                    await call.write(request)
                if self._is_closing:
                    await call.done_writing()
                    return
                await self._wakeup.wait()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # The call has ended; the reader gets its status.

    def _change_of_credit(self) -> Any:
        """
        The consumer may be slower than the time for acknowledgements, after which an event takes no credit: the credit is withdrawn while
        more than it wait here, so that they are never more than twice as many.
        """
        waiting = len(self._events)
        wanted = 0 if self._is_paused or waiting > self._credit else self._credit if waiting == 0 else self._granted
        if wanted == self._granted:
            return None
        self._granted = wanted
        return subscription_pb2.SubscribeRequest(credit=wanted)

    async def _pull(self) -> None:
        """Pulls while the consumer waits for an event, until the stream is worth another attempt."""
        begun = time.monotonic()
        while time.monotonic() - begun < _STREAM_RETRY:
            while not self._is_waiting and not self._is_paused:
                self._wanted.clear()
                await self._wanted.wait()
            if self._is_paused:
                return
            request = subscription_pb2.PullSubscriptionRequest(
                name=self._name, max_events=max(1, self._room()), wait=duration(_PULL_WAIT)
            )
            pull = asyncio.ensure_future(self._client.call(lambda s: s.subscriptions.PullSubscription, request))
            try:
                # A pause must not wait for it.
                while not pull.done() and not self._is_paused:
                    self._wanted.clear()
                    wanted = asyncio.ensure_future(self._wanted.wait())
                    await asyncio.wait([pull, wanted], return_when=asyncio.FIRST_COMPLETED)
                    wanted.cancel()
                if not pull.done():
                    return
                for event in pull.result().events:
                    self._is_waiting = False
                    self._give(BotEvent(self._bot, event, self._calls))
            except RelayError as error:
                # As a stream does, it goes on trying, however long the server is away.
                if not error.is_passing:
                    raise
            finally:
                pull.cancel()
