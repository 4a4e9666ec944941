"""What a bot does with its conversations besides talking: it finds, labels and deletes them, and decides about keys."""
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, AsyncGenerator, Callable

from google.protobuf import field_mask_pb2

from ._errors import Outcome, RelayError
from .v1 import conversation_pb2, identity_pb2, message_pb2, verification_pb2

if TYPE_CHECKING:
    from ._client import RelayClient
    from ._connection import Services


class Conversations:
    """The part of Bot that is about conversations. Mutations take a request id: the same one takes effect once."""

    client: RelayClient

    async def conversations(self, endpoint: str, filter: str = "", order_by: str = "") -> AsyncGenerator[Any, None]:
        """
        Lists an endpoint's conversations, page after page. filter: for example ``state = ENCRYPTED AND labels.team = "sales"``, see
        ListConversationsRequest; order_by, too.
        """
        request = conversation_pb2.ListConversationsRequest(parent=endpoint_name(endpoint), filter=filter, order_by=order_by)
        while True:
            page = await self.client.call(lambda s: s.conversations.ListConversations, request)
            for conversation in page.conversations:
                yield conversation
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def find_conversation(self, endpoint: str, peer: str) -> Any:
        """Gets the conversation with a peer (relay.v1.Conversation); None if there is none."""
        request = conversation_pb2.ResolveConversationRequest(parent=endpoint_name(endpoint), peer=peer)
        try:
            return await self.client.call(lambda s: s.conversations.ResolveConversation, request)
        except RelayError as error:
            if error.reason != "CONVERSATION_NOT_FOUND":
                raise
            return None

    async def label(self, conversation: str, label: str, value: str | None, request_id: str | None = None) -> Outcome[Any]:
        """Sets a label of a conversation, or removes it (None). Returns the conversation."""
        change = conversation_pb2.Conversation(name=conversation)
        if value is not None:
            change.labels[label] = value
        request = conversation_pb2.UpdateConversationRequest(
            request_id=request_id or new_id(), conversation=change, update_mask=field_mask_pb2.FieldMask(paths=["labels." + label])
        )
        return await self._outcome(lambda s: s.conversations.UpdateConversation, request)

    async def delete_conversation(self, conversation: str, request_id: str | None = None) -> None:
        """
        Deletes a conversation: its private session is ended, what waits is dropped, and what is left are the peer's keys. The peer's next
        message begins it anew. Raises RelayError, also if there is no such conversation.
        """
        request = conversation_pb2.DeleteConversationRequest(request_id=request_id or new_id(), name=conversation)
        await self.client.call(lambda s: s.conversations.DeleteConversation, request)

    async def accept_key(self, conversation: str, fingerprint: str, request_id: str | None = None) -> Outcome[Any]:
        """
        Takes a key for the peer's: what was held goes to it. It is not verified by that. fingerprint: from Session.peer_fingerprint.
        Returns the key (relay.v1.Identity).
        """
        name = f"{conversation}/identities/{fingerprint}"
        request = identity_pb2.AcceptIdentityRequest(request_id=request_id or new_id(), name=name)
        return await self._outcome(lambda s: s.identities.AcceptIdentity, request)

    async def refuse_key(self, conversation: str, fingerprint: str, request_id: str | None = None) -> Outcome[Any]:
        """
        Refuses a key: sessions with it end, what was held for it is dropped, and it gets no session until it is accepted or verified.
        Returns the key (relay.v1.Identity).
        """
        name = f"{conversation}/identities/{fingerprint}"
        request = identity_pb2.RefuseIdentityRequest(request_id=request_id or new_id(), name=name)
        return await self._outcome(lambda s: s.identities.RefuseIdentity, request)

    async def set_answer_secret(
        self, endpoint: str, secret: str | None, peer: str | None = None, request_id: str | None = None
    ) -> None:
        """
        Stores a secret, 1 to 256 bytes of UTF-8, by which the server answers verifications that a peer begins, without asking the bot:
        five a day for each peer. secret: None: removes the one that is stored. peer: None: for all peers of the endpoint without a secret of their
        own; take a long one then.
        """
        request_id, parent = request_id or new_id(), endpoint_name(endpoint)
        if secret is None:
            clear = verification_pb2.ClearAnswerSecretRequest(request_id=request_id, parent=parent, peer=peer or "")
            await self.client.call(lambda s: s.verifications.ClearAnswerSecret, clear)
        else:
            store = verification_pb2.SetAnswerSecretRequest(request_id=request_id, parent=parent, peer=peer or "", secret=secret)
            await self.client.call(lambda s: s.verifications.SetAnswerSecret, store)

    async def get_message(self, message: str) -> Any:
        """
        Gets a message that was sent (relay.v1.Message), with what has become of it. message: its name, from SendMessageResponse.message.
        The server remembers the latest of a conversation. Raises RelayError, also if it does not remember this one.
        """
        return await self.client.call(lambda s: s.messages.GetMessage, message_pb2.GetMessageRequest(name=message))

    async def cancel_message(self, message: str, request_id: str | None = None) -> Outcome[Any]:
        """Takes back a message that is held; any other is refused (MESSAGE_NOT_HELD). Returns the message."""
        request = message_pb2.CancelMessageRequest(request_id=request_id or new_id(), name=message)
        return await self._outcome(lambda s: s.messages.CancelMessage, request)

    async def _outcome(self, method: Callable[[Services], Any], request: Any, wait: float = 0.0) -> Outcome[Any]:
        try:
            return Outcome(await self.client.call(method, request, wait=wait))
        except RelayError as error:
            if not error.is_refusal:
                raise
            return Outcome(None, error)


def endpoint_name(endpoint: str) -> str:
    """The resource name of an endpoint that is given by its name or by its id."""
    return endpoint if endpoint.startswith("endpoints/") else "endpoints/" + endpoint


def new_id() -> str:
    """A request id."""
    return uuid.uuid4().hex
