"""One scenario of a grpcio client against the gateway: client.py TARGET DESCRIPTORS SCENARIO [CA]. Exits 0 if it passed.

The API keys of each scope are in RELAY_TEST_ADMIN, RELAY_TEST_BOT and RELAY_TEST_BRIDGE. What the server answers to a
text ("hang", "throw", "overloaded") is decided by the test that starts it.
"""
import os
import queue
import sys
import threading
import time

import grpc

from messages import Messages

target, descriptors, scenario = sys.argv[1:4]
messages = Messages(descriptors)
LIMIT = 30
ENDPOINT = "endpoints/e"
if len(sys.argv) > 4:
    with open(sys.argv[4], "rb") as ca:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca.read()))
else:
    channel = grpc.insecure_channel(target)


def key(scope):
    return [("authorization", "Bearer " + os.environ["RELAY_TEST_" + scope.upper()])]


def v1(name, **fields):
    return messages["relay.v1." + name](**fields)


def stub(kind, path, response):
    return getattr(channel, kind)(
        path, request_serializer=lambda m: m.SerializeToString(), response_deserializer=messages[response].FromString)


send_message = stub("unary_unary", "/relay.v1.MessageService/SendMessage", "relay.v1.SendMessageResponse")
get_server = stub("unary_unary", "/relay.v1.AdminService/GetServer", "relay.v1.Server")
push_wire = stub("unary_unary", "/relay.v1.BridgeService/PushWire", "relay.v1.PushWireResponse")
stream_events = stub("stream_stream", "/relay.v1.EventService/StreamEvents", "relay.v1.StreamEventsResponse")
stream_wire = stub("stream_stream", "/relay.v1.BridgeService/StreamWire", "relay.v1.StreamWireResponse")


def to_send(text, request_id="1"):
    return v1("SendMessageRequest", request_id=request_id, text=text, parent=ENDPOINT, peer="peer")


def send(text, **options):
    return send_message(to_send(text), metadata=key("bot"), timeout=LIMIT, **options)


def inbound(i, text=b"hello"):
    return v1("InboundWire", endpoint=ENDPOINT, peer="peer", message_id=str(i), text=text)


def fails(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error
    raise AssertionError("the call did not fail")


def details(error):
    """The details of google.rpc.Status, by the names of their types."""
    status = messages["google.rpc.Status"].FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details()), (status, error)
    found = {}
    for detail in status.details:
        name = detail.type_url.split("/")[-1]
        found[name] = messages[name].FromString(detail.value)
    return found


def refused(code, reason, call):
    found = details(fails(code, call))
    info = found["google.rpc.ErrorInfo"]
    assert (info.reason, info.domain) == (reason, "relay.v1"), info
    return found


def run_unary():
    assert send("héllo").disposition == 1
    assert get_server(v1("GetServerRequest"), metadata=key("admin"), timeout=LIMIT).version


def run_large():
    assert send("x" * 65000).disposition == 1
    request = v1("PushWireRequest", message=inbound(1, b"x" * 65536))
    assert push_wire(request, metadata=key("bridge"), timeout=LIMIT).result.reject_reason == ""


def run_events():
    requests = queue.SimpleQueue()
    requests.put(v1("StreamEventsRequest", open=v1("OpenStream", endpoint=ENDPOINT)))
    call = stream_events(iter(requests.get, None), metadata=key("bot"), timeout=LIMIT)
    for i in range(1, 201):
        event = next(call).event
        assert (event.sequence, event.text_received.text) == (i, "text %d" % i), event
        requests.put(v1("StreamEventsRequest", ack=v1("Ack", endpoint=ENDPOINT, sequence=i)))
    assert next(call).caught_up.sequence == 200
    requests.put(None)
    assert list(call) == []


def run_wire():
    requests = queue.SimpleQueue()
    requests.put(v1("StreamWireRequest", open=v1("OpenStream", endpoint=ENDPOINT)))
    call = stream_wire(iter(requests.get, None), metadata=key("bridge"), timeout=LIMIT)
    assert next(call).HasField("caught_up")
    for i in range(50):
        requests.put(v1("StreamWireRequest", inbound=inbound(i)))
        result = next(call).inbound_result
        assert (result.message_id, result.reject_reason) == (str(i), ""), result
    requests.put(None)
    assert list(call) == []


def run_stream_refused():
    """A stream that the server ends by an error, while the client has not ended its side."""
    requests = queue.SimpleQueue()
    requests.put(v1("StreamEventsRequest", open=v1("OpenStream", endpoint="none")))
    call = stream_events(iter(requests.get, None), metadata=key("bot"), timeout=LIMIT)
    refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", lambda: next(call))
    requests.put(None)


def run_deadline():
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: send_message(to_send("hang"), metadata=key("bot"), timeout=2))


def run_cancel():
    call = send_message.future(to_send("hang"), metadata=key("bot"), timeout=LIMIT)
    time.sleep(1)
    call.cancel()
    assert call.cancelled()


def run_cancel_stream():
    requests = queue.SimpleQueue()
    requests.put(v1("StreamWireRequest", inbound=inbound(1, b"hang")))
    call = stream_wire(iter(requests.get, None), metadata=key("bridge"), timeout=LIMIT)
    time.sleep(1)
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: next(call))
    requests.put(None)


def run_oversize():
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: send("x" * 256 * 1024))
    # On a stream as well, and the connection goes on.
    requests = iter([v1("StreamWireRequest", inbound=inbound(1, b"x" * 256 * 1024))])
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: list(stream_wire(requests, metadata=key("bridge"), timeout=LIMIT)))
    run_unary()


def run_unknown():
    for path in ("/relay.v1.MessageService/Nothing", "/relay.v1.NoService/SendMessage"):
        call = stub("unary_unary", path, "relay.v1.Server")
        fails(grpc.StatusCode.UNIMPLEMENTED, lambda: call(v1("GetServerRequest"), metadata=key("admin"), timeout=LIMIT))


def run_metadata():
    missing, invalid, scope = "KEY_MISSING", "KEY_INVALID", "SCOPE_MISSING"
    bot = key("bot")[0][1]
    unauthenticated, denied = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
    for code, reason, metadata in (
        (unauthenticated, missing, []),
        (unauthenticated, missing, [("x-authorization", bot)]),
        (unauthenticated, invalid, [("authorization", "Basic " + bot)]),
        (unauthenticated, invalid, [("authorization", bot[:-1])]),
        (unauthenticated, invalid, [("authorization", bot + "0")]),
        (unauthenticated, invalid, [("authorization", bot.upper())]),
        (unauthenticated, invalid, [("authorization", bot), ("authorization", bot)]),
        (denied, scope, key("bridge")),
        (denied, scope, key("admin")),
    ):
        refused(code, reason, lambda: send_message(to_send("x"), metadata=metadata, timeout=LIMIT))
    # The scheme's case is free, and metadata that the server does not know is ignored.
    good = [("authorization", bot.replace("Bearer", "bearer")), ("x-text", "a value, with a comma"), ("x-bytes-bin", bytes(range(256)))]
    assert send_message(to_send("x"), metadata=good, timeout=LIMIT).disposition == 1


def run_error_details():
    found = refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT",
                    lambda: send_message(v1("SendMessageRequest", text="x"), metadata=key("bot"), timeout=LIMIT))
    fields = sorted(v.field for v in found["google.rpc.BadRequest"].field_violations)
    assert fields == ["parent", "request_id"], fields
    found = refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", lambda: send("overloaded"))
    assert found["google.rpc.RetryInfo"].retry_delay.ToMilliseconds() == 1500


def run_exception():
    error = fails(grpc.StatusCode.INTERNAL, lambda: send("throw"))
    assert "secret" not in error.details()
    assert details(error)["google.rpc.ErrorInfo"].reason == "INTERNAL"


def run_gzip():
    assert send("x" * 60000, compression=grpc.Compression.Gzip).disposition == 1
    # Small on the wire, but not once it is decompressed.
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: send("x" * 300000, compression=grpc.Compression.Gzip))


def run_health():
    health = "grpc.health.v1.HealthCheck"
    ask = lambda service="": messages[health + "Request"](service=service)
    check = stub("unary_unary", "/grpc.health.v1.Health/Check", health + "Response")
    for service in ("", "relay.v1.EventService", "relay.v1.BridgeService"):
        assert check(ask(service), timeout=LIMIT).status == 1
    fails(grpc.StatusCode.NOT_FOUND, lambda: check(ask("nobody"), timeout=LIMIT))
    watch = stub("unary_stream", "/grpc.health.v1.Health/Watch", health + "Response")
    for service, status in (("", 1), ("nobody", 3)):
        call = watch(ask(service), timeout=LIMIT)
        assert next(call).status == status
        call.cancel()


def run_reflection():
    from google.protobuf import descriptor_pb2
    for package in ("grpc.reflection.v1.", "grpc.reflection.v1alpha."):
        ask = messages[package + "ServerReflectionRequest"]
        info = stub("stream_stream", "/%sServerReflection/ServerReflectionInfo" % package, package + "ServerReflectionResponse")
        asks = [ask(list_services="*"), ask(file_containing_symbol="relay.v1.MessageService"), ask(file_by_filename="no/such.proto")]
        services, file, missing = info(iter(asks), metadata=key("bot"), timeout=LIMIT)
        names = {s.name for s in services.list_services_response.service}
        assert {"relay.v1.MessageService", "relay.v1.AdminService", "grpc.health.v1.Health"} <= names, names
        files = [descriptor_pb2.FileDescriptorProto.FromString(f) for f in file.file_descriptor_response.file_descriptor_proto]
        assert any(s.name == "MessageService" for f in files for s in f.service)
        assert missing.error_response.error_code == 5
        refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING", lambda: list(info(iter(asks), timeout=LIMIT)))


def run_malformed():
    """Bytes that are no message of the method: to a call, to a stream of responses, and to streams of both."""
    def raw(kind, path):
        return getattr(channel, kind)("/relay.v1." + path, request_serializer=None, response_deserializer=None)

    calls = raw("unary_unary", "MessageService/SendMessage"), raw("unary_stream", "SubscriptionService/WatchSubscription")
    streams = raw("stream_stream", "EventService/StreamEvents"), raw("stream_stream", "SubscriptionService/Subscribe")
    # A tag without an end, a length beyond the end, a group that is not closed.
    for request in b"\xff\xff", b"\x0a\x05ab", b"\x0b":
        for call in calls:
            refused(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE", lambda: read(call(request, metadata=key("bot"), timeout=LIMIT)))
        for stream in streams:
            refused(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE",
                    lambda: read(stream(iter([request]), metadata=key("bot"), timeout=LIMIT)))
    # The peer's address, as text that is no UTF-8.
    refused(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE", lambda: calls[0](b"\x1a\x01\xff", metadata=key("bot"), timeout=LIMIT))
    # A message that can be read, and then one that cannot.
    opened = v1("StreamEventsRequest", open=v1("OpenStream", endpoint=ENDPOINT)).SerializeToString()
    refused(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE",
            lambda: read(streams[0](iter([opened, b"\xff\xff"]), metadata=key("bot"), timeout=LIMIT)))
    run_unary()


def read(responses):
    return responses if isinstance(responses, bytes) else list(responses)


def run_resets():
    """Calls without a key that are cancelled at once, before and after the server has seen them."""
    for i in range(200):
        requests = queue.SimpleQueue()
        call = stream_wire(iter(requests.get, None), timeout=LIMIT)
        unary = send_message.future(to_send("x" * 1000), timeout=LIMIT)
        if i % 2:
            time.sleep(0.002)
        call.cancel()
        unary.cancel()
        requests.put(None)
    run_unary()


def run_draining():
    """Prints what arrives on a stream of events; when one ends it opens the next, as long as the standard input is open."""
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    while not done.is_set():
        requests = queue.SimpleQueue()
        requests.put(v1("StreamEventsRequest", open=v1("OpenStream", endpoint=ENDPOINT)))
        try:
            # Without a deadline, as a bot does it: a call that hangs hangs for ever.
            for response in stream_events(iter(requests.get, None), metadata=key("bot")):
                print(response.WhichOneof("message"), flush=True)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, (error.code(), error.details())
        requests.put(None)
        print("ended", flush=True)
        time.sleep(1)


globals()["run_" + scenario]()
channel.close()
