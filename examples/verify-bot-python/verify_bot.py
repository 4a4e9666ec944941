"""verify_bot.py NAME, with the key in RELAY_KEY_FILE, the server in RELAY_SERVER, the customer's number in CUSTOMER_NUMBER."""
import asyncio
import os
import sys

from relay_otr import BotEvent, BotHandler, RelayClient


class Support(BotHandler):
    async def on_text(self, event: BotEvent) -> None:
        if event.is_verified:
            await event.reply(f"echo: {event.text}")
        elif event.is_private:
            await event.verify(os.environ["CUSTOMER_NUMBER"], "What is your customer number?")

    async def on_verification(self, event: BotEvent) -> None:
        if event.waits_for_answer:  # The customer may ask first.
            await event.answer(os.environ["CUSTOMER_NUMBER"])


async def main() -> None:
    async with RelayClient() as relay:
        await relay.bot(sys.argv[1]).run(Support())

asyncio.run(main())
