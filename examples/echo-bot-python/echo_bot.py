"""echo_bot.py NAME …, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER."""
import asyncio
import sys

from relay_otr import RelayClient


async def main() -> None:
    async with RelayClient() as relay:
        async for event in relay.bot(*sys.argv[1:]).events():
            if event.text is not None and event.is_private:
                # A refusal, because the peer has ended the session for example, is a value.
                await event.reply("echo: " + event.text)
            await event.ack()


asyncio.run(main())
