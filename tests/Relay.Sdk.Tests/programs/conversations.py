"""conversations.py: with alice, who has a private session, and bob, who is away, does what a bot can do with conversations."""
import asyncio

from relay_otr import RelayClient
from relay_otr.v1.identity_pb2 import Identity
from relay_otr.v1.message_pb2 import Message


async def main() -> None:
    async with RelayClient() as relay:
        bot = relay.bot("e")
        sent = (await bot.send_to("endpoints/e", "alice", "hello", wait=30)).response
        print("sent", Message.State.Name(sent.message.state))
        print("known", Message.State.Name((await bot.get_message(sent.message.name)).state))
        print("carried", (await bot.cancel_message(sent.message.name)).refusal.reason)

        alice = await bot.find_conversation("e", "alice")
        labelled = (await bot.label(alice.name, "team", "sales")).response
        print("label", labelled.labels["team"])
        print("listed", [c.peer async for c in bot.conversations("e", 'labels.team = "sales"')])
        print("removed", dict((await bot.label(alice.name, "team", None)).response.labels))

        held = (await bot.send_to("endpoints/e", "bob", "later")).response
        print("held", Message.State.Name(held.message.state))
        print("cancelled", Message.State.Name((await bot.cancel_message(held.message.name)).response.state))

        await bot.set_answer_secret("e", "a long secret of the endpoint", peer="alice")
        print("secret", (await bot.find_conversation("e", "alice")).has_answer_secret)
        await bot.set_answer_secret("e", None, peer="alice")
        print("cleared", (await bot.find_conversation("e", "alice")).has_answer_secret)

        key = alice.sessions[0].peer_fingerprint
        print("accepted", Identity.Standing.Name((await bot.accept_key(alice.name, key)).response.standing))
        print("refused", Identity.Standing.Name((await bot.refuse_key(alice.name, key)).response.standing))

        await bot.delete_conversation(held.conversation)
        print("deleted", await bot.find_conversation("e", "bob"))


asyncio.run(main())
