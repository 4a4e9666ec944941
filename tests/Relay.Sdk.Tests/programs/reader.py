"""reader.py handlers|loop CREDIT SILENCE_LIMIT: reads endpoints/e/subscriptions/bot and does with each text what it says."""
import asyncio
import sys

from relay_otr import BotEvent, BotHandler, RelayClient, RelayOptions


def note(event: BotEvent) -> None:
    print(f"{event.text}:{event.delivery}", flush=True)


class Reader(BotHandler):
    async def on_text(self, event: BotEvent) -> None:
        note(event)
        if event.text == "fail":
            raise ValueError
        if event.text == "again":
            await event.nack(1.5)
        if event.text == "drop":
            await event.set_aside("no")


async def loop(relay: RelayClient, credit: int) -> None:
    async for event in relay.bot().subscription("endpoints/e/subscriptions/bot", credit):
        note(event)
        if event.text in ("fail", "again"):
            await event.nack(10 if event.text == "fail" else 1.5)
        elif event.text == "drop":
            await event.set_aside("no")
        else:
            print(await event.ack(), flush=True)


async def main() -> None:
    mode, credit, silence = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    async with RelayClient(options=RelayOptions(silence_limit=silence, max_backoff=0.3)) as relay:
        if mode == "loop":
            await loop(relay, credit)
        else:
            await relay.bot("e").run(Reader(), max_concurrency=credit)


asyncio.run(main())
