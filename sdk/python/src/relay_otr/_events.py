"""Events of a bot."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._errors import Outcome

if TYPE_CHECKING:
    from ._bot import Bot
    from ._settle import Settler

_LINE_ENDS = re.compile("\r\n|\r|\u0085")
_UNCLEAN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]")
_MAX_DELAY = 86_400.0
_MAX_NOTE = 500


class BotEvent:
    """
    An event that a bot received: a text, a change of a session, a verification, or another one, which message tells. What an event of one
    kind does not have is None in the others.
    """

    def __init__(self, bot: Bot, message: Any, settler: Settler) -> None:
        self.bot = bot
        """The bot that received the event, for further requests."""
        self.message = message
        """The event as an API message (relay.v1.Event), with the fields that this class does not expose."""
        self._settler = settler
        self._replies = 0
        self.settlement = "NONE"
        """What was asked of the server last, whether it has taken that or not: NONE, GIVEN_BACK, or FINAL (acknowledged or set aside)."""

    @property
    def endpoint(self) -> str:
        """``endpoints/{endpoint}``"""
        return str(self.message.endpoint)

    @property
    def conversation(self) -> str:
        """``endpoints/{endpoint}/conversations/{conversation}``"""
        return str(self.message.conversation)

    @property
    def peer(self) -> str:
        """The peer's address."""
        return str(self.message.peer)

    def _of(self, field: str) -> Any:
        return getattr(self.message, field) if self.message.HasField(field) else None

    @property
    def text(self) -> str | None:
        """
        The text as the peer sent it. It may contain any character, also ones that move a terminal's cursor or reorder what is shown: use
        clean_text for logs, terminals and pages.
        """
        received = self._of("text_received")
        return None if received is None else str(received.text)

    @property
    def clean_text(self) -> str | None:
        """The text for display, without control characters and marks of direction. It is not escaped for HTML or any other language."""
        return None if self.text is None else _UNCLEAN.sub("", _LINE_ENDS.sub("\n", self.text))

    @property
    def is_private(self) -> bool:
        """True if the text was received in a private session. Otherwise, reply with nothing confidential."""
        return bool(self.message.text_received.encrypted)

    @property
    def is_verified(self) -> bool:
        """True if the key that the text came with was verified. Until then anybody may be the peer."""
        return bool(self.message.text_received.peer_verified)

    @property
    def is_key_held(self) -> bool:
        """
        True if the peer's key took another's place and nobody has decided about it (Policy.key_change is HOLD): the text may be somebody
        else's, and replies wait until the key is accepted or refused.
        """
        session = self.session
        return bool(self.message.text_received.key_held or session is not None and session.key_held)

    @property
    def session(self) -> Any:
        """The session that has changed (relay.v1.Session)."""
        changed = self._of("session_changed")
        return None if changed is None else changed.session

    @property
    def verification(self) -> Any:
        """The verification that waits for an answer or has ended (relay.v1.Verification)."""
        changed = self._of("verification_changed")
        return None if changed is None else changed.verification

    @property
    def file(self) -> Any:
        """The file that the peer offers, that has come, or that cannot be brought to the peer (relay.v1.FileTransfer)."""
        changed = self._of("file_changed")
        return None if changed is None else changed.file

    @property
    def waits_for_answer(self) -> bool:
        """True if the peer asks to verify, and answer may answer."""
        verification = self.verification
        return verification is not None and verification.state == verification.WAITING_FOR_ANSWER

    @property
    def delivery(self) -> int:
        """1 for the first delivery of an event of a subscription, 2 for the second, …; 0 for an event of an endpoint's own stream."""
        return int(self.message.delivery)

    @property
    def _id(self) -> str:
        if self.message.subscription:
            return f"{self.message.subscription.rsplit('/', 1)[-1]}-{self.message.cursor}"
        return str(self.message.sequence)

    @property
    def is_given_back(self) -> bool:
        """True if the stream that it came on has ended: the server delivers it again, unless it is acknowledged."""
        return self._settler.has_ended

    async def ack(self) -> bool:
        """
        Acknowledges this event; of an endpoint's own stream also all earlier ones. The server delivers unacknowledged events again: those
        of a subscription at the end of the reader's stream, or after the time for acknowledgements, the others after a restart of the bot.
        Returns True once it is stored; False if the event was settled or given back before, so that there was nothing to do.
        """
        self.settlement = "FINAL"
        return await self._settler.ack(self)

    async def nack(self, delay: float = 0.0, note: str = "") -> bool:
        """
        Gives an event of a subscription back, to be delivered again after a delay of at most a day; after too many deliveries it is a dead
        letter. The note, of at most 500 characters, is for people who look at it. Returns as ack does.
        """
        return await self._give_back(delay, False, note)

    async def set_aside(self, note: str = "") -> bool:
        """
        Makes an event of a subscription a dead letter at once: it is not delivered again unless somebody asks for it. Returns as ack does.
        """
        return await self._give_back(0.0, True, note)

    async def _give_back(self, delay: float, terminate: bool, note: str) -> bool:
        # Not left to the server, which would end the stream for it, and so give back whatever else the bot has.
        if not 0 <= delay <= _MAX_DELAY:
            raise ValueError("The delay must be zero to one day.")
        if len(note.encode("utf-16-le")) // 2 > _MAX_NOTE:
            raise ValueError(f"The note must have at most {_MAX_NOTE} characters.")
        self.settlement = "FINAL" if terminate else "GIVEN_BACK"
        return await self._settler.give_back(self, delay, terminate, note)

    async def reply(self, text: str) -> Outcome[Any]:
        """
        Replies in the same conversation. The idempotency key is made from the event and the number of the reply, so that a bot that is
        killed after replying does not reply twice. A refusal is a value.
        """
        self._replies += 1
        return await self.bot.reply(self.conversation, text, f"reply-{self._id}-{self._replies}")

    async def answer(self, secret: str) -> Outcome[Any]:
        """Answers the peer's verification with the shared secret, once for each event. A refusal is a value."""
        if self.verification is None:
            raise ValueError("This event is not a verification.")
        return await self.bot.answer_verification(self.verification.name, secret, f"answer-{self._id}")

    async def verify(self, secret: str, question: str = "") -> Outcome[Any]:
        """
        Begins to verify the peer by a secret or a question, once for each event. The result comes as an event with a verification. A
        refusal is a value.
        """
        return await self.bot.verify(self.conversation, secret, question, f"verify-{self._id}")

    async def accept_key(self) -> Outcome[Any]:
        """Takes the key of the session that has changed for the peer's: what was held goes to it. It is not verified by that."""
        return await self.bot.accept_key(self.conversation, self._fingerprint)

    async def refuse_key(self) -> Outcome[Any]:
        """Refuses the key of the session that has changed: the session ends, and what was held for it is dropped."""
        return await self.bot.refuse_key(self.conversation, self._fingerprint)

    @property
    def _fingerprint(self) -> str:
        if self.session is None:
            raise ValueError("This event is not a change of a session.")
        return str(self.session.peer_fingerprint)
