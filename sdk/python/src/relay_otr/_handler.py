"""Typed handlers over a subscription."""
from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Sequence

from ._errors import RelayError
from ._settle import duration
from ._subscription import SubscriptionReader
from .v1 import subscription_pb2

if TYPE_CHECKING:
    from ._bot import Bot
    from ._events import BotEvent

_log = logging.getLogger("relay_otr")
# The share of the time for an acknowledgement that handling may take: the rest is for the acknowledgement.
_HANDLING_SHARE = 0.9


class BotHandler:
    """
    Handles the events of a bot (Bot.run): override what the bot cares about. Events of different peers are handled side by side, those of
    one peer in order. An event is acknowledged when its method has returned, unless the method has settled it otherwise. It is delivered
    again if the process ends before that, so a method may run twice for an event; replies, answers and verifications that are made through
    the event take effect once even then.
    """

    RETRY_DELAY = 10.0
    """Seconds after which an event that could not be handled is delivered again."""

    async def on_text(self, event: BotEvent) -> None:
        """A peer wrote a text."""

    async def on_session(self, event: BotEvent) -> None:
        """A private session was established, has ended, or has another key."""

    async def on_verification(self, event: BotEvent) -> None:
        """A verification waits for an answer, or has ended."""

    async def on_event(self, event: BotEvent) -> None:
        """Any other event: a held message was dropped, a text could not be read, the trust in a key has changed, …"""

    async def on_error(self, event: BotEvent, error: Exception) -> None:
        """
        One of the other methods failed, or took too long. By default the event is given back, to be delivered again after RETRY_DELAY; at
        the subscription's last delivery, the fifth unless it says otherwise, it becomes a dead letter, and the rest goes on.
        """
        await event.nack(self.RETRY_DELAY, type(error).__name__)

    async def handle(self, event: BotEvent) -> None:
        """Calls the method for an event."""
        if event.text is not None:
            await self.on_text(event)
        elif event.session is not None:
            await self.on_session(event)
        elif event.verification is not None:
            await self.on_verification(event)
        else:
            await self.on_event(event)


class HandlerLoop:
    """
    Reads a subscription with a credit of as many events as there are places, and handles each when the conversation's earlier one is done.
    The server gives no second event of a conversation before the first is settled; but it may give one again that was handled for too long,
    was given back a moment ago, or was in progress when the stream ended.
    """

    def __init__(
        self, bot: Bot, handler: BotHandler, endpoint: str, subscription: str, max_concurrency: int, ack_wait: float, max_deliveries: int
    ) -> None:
        self._bot = bot
        self._handler = handler
        self._endpoint = endpoint
        self._id = subscription
        self._name = f"{endpoint}/subscriptions/{subscription}"
        self._max = max_concurrency
        self._wanted = subscription_pb2.Subscription(
            ack_wait=duration(ack_wait), max_deliveries=max_deliveries
        )
        self._in_progress: set[asyncio.Task[bool]] = set()
        # The last delivery of each conversation that is in progress.
        self._turns: dict[str, tuple[str, asyncio.Task[bool]]] = {}
        self._time = ack_wait

    async def run(self) -> None:
        """Runs until it is cancelled, or the server refuses permanently; what is in progress is handled to its end."""
        await self._open()
        reader = SubscriptionReader(self._bot, self._name, self._max, lambda: self._max - len(self._in_progress))
        reader.start()
        try:
            while True:
                while len(self._in_progress) >= self._max:
                    await asyncio.wait(self._in_progress, return_when=asyncio.FIRST_COMPLETED)
                self._begin(await reader.read())
        finally:
            reader.pause()
            if self._in_progress:
                await asyncio.wait(self._in_progress)
            await reader.close()

    def _begin(self, event: BotEvent) -> None:
        key, cursor = event.conversation or event.message.cursor, event.message.cursor
        task = asyncio.ensure_future(self._in_turn(event, self._turns.get(key)))
        self._turns[key] = (cursor, task)
        self._in_progress.add(task)

        def end(_: object) -> None:
            self._in_progress.discard(task)
            if self._turns[key][1] is task:
                del self._turns[key]

        task.add_done_callback(end)

    async def _in_turn(self, event: BotEvent, earlier: tuple[str, asyncio.Task[bool]] | None) -> bool:
        if earlier is None or not await earlier[1] or earlier[0] != event.message.cursor:
            return await self._handle(event)
        # It comes again because its acknowledgement came late, and is done; this delivery takes credit until that is said.
        try:
            await event.ack()
        except RelayError as error:
            _log.warning("%s: an event could not be settled, and comes again: %s", self._name, type(error).__name__)
        return True

    async def _open(self) -> None:
        """Creates the subscription, unless there is one."""
        create = subscription_pb2.CreateSubscriptionRequest(
            parent=self._endpoint, subscription_id=self._id, subscription=self._wanted
        )
        get = subscription_pb2.GetSubscriptionRequest(name=self._name)
        while True:
            try:
                found = await self._bot.client.call(lambda s: s.subscriptions.CreateSubscription, create)
                break
            except RelayError as error:
                if error.code == "ALREADY_EXISTS":
                    found = await self._bot.client.call(lambda s: s.subscriptions.GetSubscription, get)
                    break
                if not error.is_passing:
                    raise
        self._time = (found.ack_wait.seconds + found.ack_wait.nanos / 1e9) * _HANDLING_SHARE

    async def _handle(self, event: BotEvent) -> bool:
        """Handles an event and settles it. Returns True if it does not come again."""
        try:
            try:
                await asyncio.wait_for(self._handler.handle(event), self._time)
            except Exception as error:  # pylint: disable=broad-except
                # A message of an exception may quote a text or an address.
                _log.warning("%s: an event could not be handled: %s, at delivery %d", self._name, type(error).__name__, event.delivery)
                await self._handler.on_error(event, error)
            if event.settlement == "NONE":
                await event.ack()
            return event.settlement == "FINAL"
        except Exception as error:  # pylint: disable=broad-except
            _log.warning("%s: an event could not be settled, and comes again: %s", self._name, type(error).__name__)
            return False


async def run_until_stopped(loops: Sequence[HandlerLoop]) -> None:
    """Runs the loops until SIGINT or SIGTERM, where a program may handle them; one that fails ends the others."""
    tasks = [asyncio.ensure_future(loop.run()) for loop in loops]
    stopped = asyncio.Event()
    handled: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows, and not in another thread than the first.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
            handled.append(number)
    stop = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in handled:
            asyncio.get_running_loop().remove_signal_handler(number)
        for task in [stop, *tasks]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
