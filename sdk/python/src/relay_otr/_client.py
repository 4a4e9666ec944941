"""The client of one or several servers."""
from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import Any, Callable, Sequence

import grpc

from ._bot import Bot
from ._connection import RelayOptions, Rounds, ServerRing, Services, parse_servers
from ._conversations import endpoint_name
from ._errors import RelayError
from ._key import RelayKey

_DEFAULT_SERVER = "http://127.0.0.1:7420"


class RelayClient:
    """
    A client of one server, or of several nodes of one cluster: it uses the first and fails over to another when that one drains, stops or
    cannot be reached. Use it in ``async with``, or call close.
    """

    def __init__(
        self,
        servers: str | Sequence[str] | None = None,
        key: RelayKey | str | None = None,
        *,
        key_file: str | os.PathLike[str] | None = None,
        options: RelayOptions | None = None,
    ) -> None:
        """
        Connects on first use. servers: ``https://host:port``, or ``http://`` on loopback, several separated by commas or as a list; None:
        those that RELAY_SERVER names, or else a server on this machine. key: None: the one of key_file, or of RELAY_KEY_FILE or RELAY_KEY.
        """
        if servers is None:
            servers = os.environ.get("RELAY_SERVER") or _DEFAULT_SERVER
        if key_file is not None:
            key = RelayKey.from_file(key_file)
        elif key is None:
            key = RelayKey.from_environment()
        elif isinstance(key, str):
            key = RelayKey(key)
        self.options = options or RelayOptions()
        if self.options.trusted_certificate_file is None and (authorities := os.environ.get("RELAY_CA")):
            self.options = replace(self.options, trusted_certificate_file=authorities)
        self._key = key
        addresses = parse_servers(servers if isinstance(servers, str) else ",".join(servers))
        self.servers = ServerRing(addresses, self.options, has_key=True)

    async def __aenter__(self) -> RelayClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self.servers.close()

    def bot(self, *endpoints: str) -> Bot:
        """Creates a bot for these endpoints, each by its name (``endpoints/support``) or its id (``support``)."""
        return Bot(self, [endpoint_name(e) for e in endpoints])

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call with the client's key."""
        return self._key.metadata

    async def call(self, method: Callable[[Services], Any], request: Any, *, wait: float = 0.0) -> Any:
        """
        Makes a unary call, for example ``await relay.call(lambda s: s.endpoints.GetEndpoint, request)``, and retries it after transient
        errors, on the next server if there is one. A mutation must have a request id. wait: the seconds for which the request asks the
        server to wait; an attempt may take so much longer. Raises RelayError.
        """
        timeout = self.options.attempt_timeout + wait
        rounds = Rounds(self.servers, self.options)
        begun = time.monotonic()
        while True:
            server = self.servers.current
            try:
                return await method(self.servers.services)(request, metadata=self.metadata, timeout=timeout)
            except grpc.aio.AioRpcError as rpc_error:
                error = RelayError(rpc_error)
            if not error.is_passing:
                raise error
            pause = rounds.fail(server, error.retry_after) if error.is_of_server else rounds.stay(error.retry_after)
            if pause is None:
                continue
            if time.monotonic() - begun > self.options.give_up_after:
                raise error
            await asyncio.sleep(pause)
