"""The servers of a client, and what it does when one fails."""
from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from typing import Sequence
from urllib.parse import urlsplit

import grpc

from .v1 import admin_pb2_grpc, bridge_pb2_grpc, conversation_pb2_grpc, endpoint_pb2_grpc, message_pb2_grpc
from .v1 import event_pb2_grpc, file_pb2_grpc, identity_pb2_grpc, subscription_pb2_grpc, verification_pb2_grpc


@dataclass(frozen=True)
class RelayOptions:
    """Retries, timeouts and trust of a client. Times are in seconds."""

    first_backoff: float = 0.1
    """The wait before the first retry; it doubles up to max_backoff, with jitter."""
    max_backoff: float = 5.0
    """The longest wait before a retry."""
    give_up_after: float = 120.0
    """Time after which a call with transient errors is no longer retried. Streams reconnect without a limit."""
    attempt_timeout: float = 30.0
    """Timeout of one attempt of a call."""
    silence_limit: float = 60.0
    """Time without a message after which a stream is considered dead; the server sends one at least every 15 seconds."""
    trusted_certificate_file: str | None = None
    """PEM file of the only certificate authorities to trust for the server's certificate. None: those of the file that RELAY_CA
    names, or else those that grpcio brings."""


class Services:
    """The generated stubs of one server. Their calls neither carry the key nor retry: see RelayClient.call."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.endpoints = endpoint_pb2_grpc.EndpointServiceStub(channel)
        self.conversations = conversation_pb2_grpc.ConversationServiceStub(channel)
        self.messages = message_pb2_grpc.MessageServiceStub(channel)
        self.identities = identity_pb2_grpc.IdentityServiceStub(channel)
        self.verifications = verification_pb2_grpc.VerificationServiceStub(channel)
        self.events = event_pb2_grpc.EventServiceStub(channel)
        self.subscriptions = subscription_pb2_grpc.SubscriptionServiceStub(channel)
        self.files = file_pb2_grpc.FileServiceStub(channel)
        self.bridge = bridge_pb2_grpc.BridgeServiceStub(channel)
        self.admin = admin_pb2_grpc.AdminServiceStub(channel)


class ServerRing:
    """
    The servers of one client and the one in use. A client starts with the first and keeps using a server until it fails. The others follow
    in random order, so that the clients of a stopped node are distributed over the remaining ones.
    """

    def __init__(self, servers: Sequence[str], options: RelayOptions, has_key: bool) -> None:
        if not servers:
            raise ValueError("Name at least one server.")
        order = list(servers[1:])
        random.shuffle(order)
        self._channels = [_channel(s, options, has_key, is_alone=not order) for s in [servers[0], *order]]
        self._services = [Services(c) for c in self._channels]
        self.current = 0
        """The index of the server in use."""

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def services(self) -> Services:
        """The stubs of the server in use."""
        return self._services[self.current]

    def move_on(self, failed: int) -> None:
        """Switches to the next server, unless a concurrent call has switched already."""
        if self.current == failed:
            self.current = (failed + 1) % len(self._channels)

    async def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels:
            await channel.close()


class Rounds:
    """
    Fails over to the next server without a wait, and backs off only after every server has failed in turn (a round). A retry delay applies
    to the server that asked for it, so the shortest one counts at the end of a round.
    """

    def __init__(self, servers: ServerRing, options: RelayOptions) -> None:
        self._servers = servers
        self._options = options
        self.reset()

    def reset(self) -> None:
        """Restarts the backoff after a success."""
        self._rounds = 0
        self._failed = 0
        self._asked: float | None = None

    def fail(self, server: int, asked_to_wait: float | None = None) -> float | None:
        """Moves on from a server that failed or drains. Returns the wait before the next attempt; None for none."""
        self._servers.move_on(server)
        if asked_to_wait is not None and (self._asked is None or asked_to_wait < self._asked):
            self._asked = asked_to_wait
        self._failed += 1
        return None if self._failed < len(self._servers) else self._end_round()

    def stay(self, asked_to_wait: float | None = None) -> float:
        """Backs off without a failover: the server works but cannot accept the request now, and neither would the others."""
        self._asked = asked_to_wait
        return self._end_round()

    def _end_round(self) -> float:
        ceiling = min(self._options.max_backoff, self._options.first_backoff * (1 << min(self._rounds, 20)))
        wait = max(self._asked or 0.0, ceiling * (0.5 + random.random() / 2))
        self._rounds += 1
        self._failed = 0
        self._asked = None
        return wait


def parse_servers(text: str) -> list[str]:
    """Parses a comma-separated list of addresses, as in RELAY_SERVER."""
    servers = [s.strip() for s in text.split(",") if s.strip()]
    if not servers or any(urlsplit(s).scheme not in ("http", "https") or not urlsplit(s).hostname for s in servers):
        raise ValueError("A server's address must be http://host:port or https://host:port; separate several by commas.")
    return servers


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _channel(server: str, options: RelayOptions, has_key: bool, is_alone: bool) -> grpc.aio.Channel:
    address = urlsplit(server)
    host = address.hostname or ""
    target = f"[{host}]" if ":" in host else host
    target += f":{address.port or (443 if address.scheme == 'https' else 80)}"
    # If there is another server, timeouts are shorter, so that the failover comes sooner.
    arguments = [
        ("grpc.keepalive_time_ms", 20_000 if is_alone else 5_000),
        ("grpc.keepalive_timeout_ms", 10_000 if is_alone else 5_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 10_000 if is_alone else 3_000),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if address.scheme == "https":
        roots = None
        if options.trusted_certificate_file is not None:
            with open(options.trusted_certificate_file, "rb") as file:
                roots = file.read()
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(root_certificates=roots), options=arguments)
    if has_key and not _is_loopback(host):
        raise ValueError("An API key is not sent to another machine without TLS: use https://.")
    return grpc.aio.insecure_channel(target, options=arguments)
