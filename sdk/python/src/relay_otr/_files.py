"""Files to and from peers, which the server encrypts under OTR's extra symmetric key."""
from __future__ import annotations

import hashlib
import hmac
import io
from typing import TYPE_CHECKING, Any, AsyncGenerator, BinaryIO

from ._conversations import Conversations, endpoint_name, new_id
from ._errors import Outcome, RelayError
from .v1 import file_pb2

if TYPE_CHECKING:
    from ._client import RelayClient

_PORTION = 64 << 10


class Files(Conversations):
    """The part of Bot that is about files."""

    client: RelayClient

    async def send_file(
        self, conversation: str, content: BinaryIO | bytes, file_name: str, media_type: str = "", request_id: str | None = None
    ) -> Outcome[Any]:
        """
        Sends a file in a conversation: uploads it and offers it to the peer, which needs a private session. Called again with the same
        request id and content, it goes on where it was interrupted. content: seekable and read from its beginning, or bytes; at most
        64 MiB. file_name: without directories. Returns the file (relay.v1.FileTransfer).
        """
        return await self._send_file(file_pb2.CreateFileRequest(parent=conversation), content, file_name, media_type, request_id)

    async def send_file_to(
        self, endpoint: str, peer: str, content: BinaryIO | bytes, file_name: str, media_type: str = "", request_id: str | None = None
    ) -> Outcome[Any]:
        """As send_file, to a peer by its address."""
        create = file_pb2.CreateFileRequest(parent=endpoint_name(endpoint), peer=peer)
        return await self._send_file(create, content, file_name, media_type, request_id)

    async def download_file(self, file: Any, destination: BinaryIO) -> None:
        """
        Downloads a file that was received (``event.file``), and compares its digest. destination: a binary file; what one that is readable
        and seekable has already is kept, so that a download that was interrupted goes on. Raises ValueError if what was written is not the
        file.
        """
        digest, offset = hashlib.sha256(), 0
        if destination.readable() and destination.seekable():
            destination.seek(0)
            while part := destination.read(_PORTION):
                digest.update(part)
                offset += len(part)
        while True:
            request = file_pb2.DownloadFileRequest(name=file.name, offset=offset)
            try:
                part = (await self.client.call(lambda s: s.files.DownloadFile, request)).data
            except RelayError as error:
                if error.reason != "CURSOR_BEYOND_END":
                    raise
                break
            if not part:
                break
            digest.update(part)
            destination.write(part)
            offset += len(part)
        if not hmac.compare_digest(digest.digest(), file.sha256):
            raise ValueError("What was downloaded has another digest than the file; delete it and download it again.")

    async def get_file(self, file: str) -> Any:
        """Gets a file by its name (relay.v1.FileTransfer). Raises RelayError, also if there is no such file any more."""
        return await self.client.call(lambda s: s.files.GetFile, file_pb2.GetFileRequest(name=file))

    async def files(self, endpoint: str) -> AsyncGenerator[Any, None]:
        """Lists an endpoint's files, the sent and the received, page after page."""
        request = file_pb2.ListFilesRequest(parent=endpoint_name(endpoint))
        while True:
            page = await self.client.call(lambda s: s.files.ListFiles, request)
            for file in page.files:
                yield file
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def delete_file(self, file: str) -> None:
        """Deletes a file and its keys, by its name; also one that is not there any more."""
        await self.client.call(lambda s: s.files.DeleteFile, file_pb2.DeleteFileRequest(name=file))

    async def _send_file(
        self, create: file_pb2.CreateFileRequest, content: BinaryIO | bytes, file_name: str, media_type: str, request_id: str | None
    ) -> Outcome[Any]:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        create.size = source.seek(0, io.SEEK_END)
        create.request_id, create.file_name, create.media_type = request_id or new_id(), file_name, media_type
        created = await self._outcome(lambda s: s.files.CreateFile, create)
        if created.refusal is not None:
            return created
        file = created.response
        digest, offset = hashlib.sha256(), 0
        source.seek(0)
        while part := source.read(_PORTION):
            digest.update(part)
            if offset >= file.stored_size:
                upload = file_pb2.UploadFileRequest(name=file.name, offset=offset, data=part)
                uploaded = await self._outcome(lambda s: s.files.UploadFile, upload)
                if uploaded.refusal is not None:
                    return uploaded
            offset += len(part)
        complete = file_pb2.CompleteFileRequest(name=file.name, request_id=new_id(), sha256=digest.digest())
        return await self._outcome(lambda s: s.files.CompleteFile, complete)
