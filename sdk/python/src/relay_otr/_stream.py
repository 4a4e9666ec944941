"""The event stream of a bot: reconnects, and takes acknowledgements."""
from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, AsyncGenerator

import grpc

from ._connection import Rounds
from ._errors import RelayError
from ._events import BotEvent
from ._settle import EndpointSettler
from .v1 import event_pb2

if TYPE_CHECKING:
    from ._bot import Bot

_FINAL = ("UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT", "OUT_OF_RANGE", "FAILED_PRECONDITION", "UNIMPLEMENTED")
# The time that the server gets to store the last acknowledgements when the bot stops.
CLOSE_TIMEOUT = 2.0


def wait_after(rounds: Rounds, server: int, error: RelayError) -> float | None:
    """Returns the wait before a stream that has ended with an error is opened again, None for none; raises a permanent refusal."""
    if error.code in _FINAL:
        raise error from None
    if error.is_passing and not error.is_of_server:
        return rounds.stay(error.retry_after)
    return rounds.fail(server, error.retry_after)


class EventStream:
    """
    Keeps a bidirectional stream open: connects, opens each endpoint after the last event that was delivered, and sends acknowledgements.
    When the connection breaks, is silent for too long or the server drains, it reconnects to the next server.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._client = bot.client
        self._given: dict[str, int] = {}
        self._acknowledged: dict[str, int] = {}
        self._unsent: set[str] = set()
        self._wakeup = asyncio.Event()
        self._is_ending = False
        self._settler = EndpointSettler(self._acknowledge)

    async def run(self) -> AsyncGenerator[BotEvent, None]:
        """Yields events until the server refuses permanently."""
        rounds = Rounds(self._client.servers, self._client.options)
        while True:
            server = self._client.servers.current
            wait: float | None
            call = self._client.servers.services.events.StreamEvents(metadata=self._client.metadata)
            self._is_ending = False
            writer = asyncio.ensure_future(self._write(call))
            is_stopping = drained = False
            try:
                try:
                    # A silent connection is dead.
                    while (response := await asyncio.wait_for(call.read(), self._client.options.silence_limit)) is not grpc.aio.EOF:
                        if response.HasField("draining"):
                            drained = True
                            break
                        # A drain message does not reset the backoff: otherwise a cluster that drains would be polled without a pause.
                        rounds.reset()
                        if response.HasField("event") and self._is_new(response.event):
                            yield BotEvent(self._bot, response.event, self._settler)
                except GeneratorExit:
                    is_stopping = True
                    raise
                finally:
                    await self._end(call, writer, is_stopping)
                wait = rounds.fail(server) if drained else rounds.stay()
            except asyncio.TimeoutError:
                wait = rounds.fail(server)
            except grpc.aio.AioRpcError as rpc_error:
                wait = wait_after(rounds, server, RelayError(rpc_error))
            if wait is not None:
                await asyncio.sleep(wait)

    async def _end(self, call: Any, writer: asyncio.Future[None], is_stopping: bool) -> None:
        """Ends a connection. When the bot stops, the remaining acknowledgements are sent, and the server gets a while to store them."""
        if is_stopping:
            self._is_ending = True
            self._wakeup.set()
            with contextlib.suppress(asyncio.TimeoutError, asyncio.InvalidStateError, grpc.aio.AioRpcError):
                await asyncio.wait_for(self._finish(call, writer), CLOSE_TIMEOUT)
        call.cancel()
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer

    @staticmethod
    async def _finish(call: Any, writer: asyncio.Future[None]) -> None:
        await writer
        await call.done_writing()
        while await call.read() is not grpc.aio.EOF:
            pass

    def _is_new(self, event: Any) -> bool:
        if event.sequence <= self._given.get(event.endpoint, 0):
            return False
        self._given[event.endpoint] = event.sequence
        return True

    def _acknowledge(self, event: BotEvent) -> None:
        if event.message.sequence > self._acknowledged.get(event.endpoint, 0):
            self._acknowledged[event.endpoint] = event.message.sequence
            self._unsent.add(event.endpoint)
            self._wakeup.set()

    async def _write(self, call: Any) -> None:
        try:
            # A new connection begins where the last one was, and repeats the acknowledgements.
            for endpoint in self._bot.endpoints:
                opened = event_pb2.OpenStream(endpoint=endpoint, after_sequence=self._given.get(endpoint))
                await call.write(event_pb2.StreamEventsRequest(open=opened))
            self._unsent.update(self._acknowledged)
            while True:
                self._wakeup.clear()
                while self._unsent:
                    endpoint = self._unsent.pop()
                    ack = event_pb2.Ack(endpoint=endpoint, sequence=self._acknowledged[endpoint])
                    await call.write(event_pb2.StreamEventsRequest(ack=ack))
                if self._is_ending:
                    return
                await self._wakeup.wait()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # The call has ended; the reader gets its status.
