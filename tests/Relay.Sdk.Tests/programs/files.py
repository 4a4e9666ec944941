"""files.py DIRECTORY: sends the file `content` there to two, and takes what two has sent."""
import asyncio
import hashlib
import pathlib
import sys

from relay_otr import RelayClient, RelayError
from relay_otr.v1.file_pb2 import FileTransfer

State = FileTransfer.State.Name


async def main() -> None:
    directory = pathlib.Path(sys.argv[1])
    async with RelayClient() as relay:
        bot = relay.bot("e")
        async for event in bot.events():
            if event.file is not None and event.file.state == FileTransfer.RECEIVED:
                received = event.file
                break
        print("event", received.file_name, received.media_type, received.peer)

        with (directory / "content").open("rb") as content:
            sent = (await bot.send_file_to("e", "two", content, "from bot.bin", "application/x-test", request_id="r")).response
            again = (await bot.send_file_to("e", "two", content, "from bot.bin", "application/x-test", request_id="r")).response
        print("sent", State(sent.state), again.name == sent.name)
        also = (await bot.send_file(sent.conversation, b"", "empty")).response
        print("empty", State(also.state), also.size)
        print("listed", sorted(f.file_name for f in [f async for f in bot.files("e")]))

        with (directory / "part").open("r+b") as part:
            await bot.download_file(received, part)
        print("got", hashlib.sha256((directory / "part").read_bytes()).hexdigest())
        for name in ["wrong", "longer"]:
            with (directory / name).open("r+b") as other:
                try:
                    await bot.download_file(received, other)
                except ValueError as error:
                    print(name, "another digest" in str(error))

        print("refused", (await bot.send_file_to("e", "nobody", b"x", "x")).refusal.reason)
        await bot.delete_file(sent.name)
        try:
            await bot.get_file(sent.name)
        except RelayError as error:
            print("deleted", error.reason)


asyncio.run(main())
