"""A bot: reads events and sends plaintext for endpoints."""
from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, AsyncGenerator, Sequence

from ._conversations import new_id
from ._errors import Outcome, RelayError
from ._events import BotEvent
from ._files import Files
from ._handler import BotHandler, HandlerLoop, run_until_stopped
from ._settle import duration
from ._stream import EventStream
from ._subscription import SubscriptionReader
from .v1 import conversation_pb2, message_pb2, verification_pb2

if TYPE_CHECKING:
    from ._client import RelayClient

_MAX_CREDIT = 1000


class Bot(Files):
    """Reads events and sends plaintext for endpoints. Needs a key of scope bot."""

    def __init__(self, client: RelayClient, endpoints: Sequence[str]) -> None:
        self.client = client
        self.endpoints = list(endpoints)

    async def events(self) -> AsyncGenerator[BotEvent, None]:
        """
        Streams the events of the endpoints, in order for each endpoint, starting with the first unacknowledged one. Reconnects by itself.
        An iteration yields each event once; a later one yields unacknowledged events again. Raises RelayError for a permanent refusal.
        """
        async with contextlib.aclosing(EventStream(self).run()) as events:
            async for event in events:
                yield event

    async def subscription(self, name: str, credit: int = 16) -> AsyncGenerator[BotEvent, None]:
        """
        Takes the events of a subscription (``endpoints/{endpoint}/subscriptions/{subscription}``), in order for each conversation, each
        again until it is acknowledged, and shared with the subscription's other readers. Reconnects by itself. credit: the number of events
        that may be unsettled at a time, 1 to 1000; their time for an acknowledgement begins when they are delivered.
        """
        if not 1 <= credit <= _MAX_CREDIT:
            raise ValueError(f"The credit must be 1 to {_MAX_CREDIT}.")
        reader = SubscriptionReader(self, name, credit, lambda: credit)
        reader.start()
        try:
            while True:
                yield await reader.read()
        finally:
            await reader.close()

    async def run(
        self, handler: BotHandler, subscription: str = "bot", *, max_concurrency: int = 16, ack_wait: float = 30.0, max_deliveries: int = 5
    ) -> None:
        """
        Handles the events of the endpoints until the process gets SIGINT or SIGTERM, or the task is cancelled; then what is being handled
        is handled to its end. Reads a subscription of each endpoint, and creates it if there is none of that name: ack_wait, the time in
        seconds that handling an event may take, and max_deliveries count only then. Events of different peers are handled side by side.
        """
        if not 1 <= max_concurrency <= _MAX_CREDIT:
            raise ValueError(f"max_concurrency must be 1 to {_MAX_CREDIT}.")
        loops = [HandlerLoop(self, handler, e, subscription, max_concurrency, ack_wait, max_deliveries) for e in self.endpoints]
        await run_until_stopped(loops)

    async def send(self, conversation: str, text: str, request_id: str | None = None, *, wait: float = 0.0) -> Outcome[Any]:
        """
        Sends text in a conversation. Returns when the message is durable, or refused; with a wait, of at most 60 seconds, when it is known
        what became of it (``response.message.state``: CARRIED is with the network), or when the time is over. The same request id sends
        once.
        """
        return await self._send(conversation, "", text, request_id, wait)

    async def send_to(self, endpoint: str, peer: str, text: str, request_id: str | None = None, *, wait: float = 0.0) -> Outcome[Any]:
        """Sends text to a peer as send does, and creates the conversation if there is none."""
        return await self._send(endpoint, peer, text, request_id, wait)

    async def start_session(self, endpoint: str, peer: str, request_id: str | None = None) -> Outcome[Any]:
        """Offers a peer a private session; the peer's client decides whether one is established."""
        request = conversation_pb2.StartSessionRequest(request_id=request_id or new_id(), parent=endpoint, peer=peer)
        return await self._outcome(lambda s: s.conversations.StartSession, request)

    async def end_session(self, conversation: str, request_id: str | None = None) -> Outcome[Any]:
        """Ends a conversation's private session and tells the peer."""
        request = conversation_pb2.EndSessionRequest(request_id=request_id or new_id(), parent=conversation)
        return await self._outcome(lambda s: s.conversations.EndSession, request)

    async def verify(self, conversation: str, secret: str, question: str = "", request_id: str | None = None) -> Outcome[Any]:
        """Begins to verify the peer by a secret that both people know, or by a question that only the peer can answer."""
        request = verification_pb2.CreateVerificationRequest(
            request_id=request_id or new_id(), parent=conversation, secret=secret, question=question
        )
        return await self._outcome(lambda s: s.verifications.CreateVerification, request)

    async def answer_verification(self, verification: str, secret: str, request_id: str | None = None) -> Outcome[Any]:
        """Answers a verification that the peer began."""
        request = verification_pb2.AnswerVerificationRequest(request_id=request_id or new_id(), name=verification, secret=secret)
        return await self._outcome(lambda s: s.verifications.AnswerVerification, request)

    async def cancel_verification(self, verification: str, request_id: str | None = None) -> Outcome[Any]:
        """Declines or aborts an open verification, and tells the peer."""
        request = verification_pb2.CancelVerificationRequest(request_id=request_id or new_id(), name=verification)
        return await self._outcome(lambda s: s.verifications.CancelVerification, request)

    async def reply(self, conversation: str, text: str, request_id: str) -> Outcome[Any]:
        """As send; a request id that was used for another text is a refusal."""
        try:
            return await self.send(conversation, text, request_id)
        except RelayError as error:
            if error.reason != "REQUEST_ID_REUSED":
                raise
            return Outcome(None, error)

    async def _send(self, parent: str, peer: str, text: str, request_id: str | None, wait: float) -> Outcome[Any]:
        request = message_pb2.SendMessageRequest(request_id=request_id or new_id(), parent=parent, peer=peer, text=text)
        if wait > 0:
            request.wait.CopyFrom(duration(wait))
        return await self._outcome(lambda s: s.messages.SendMessage, request, wait)
