"""One scenario of a grpcio client against Relay.Grpc: client.py TARGET DESCRIPTORS SCENARIO [CA]. Exits 0 if it went as it must."""
import sys
import threading

import grpc

from wire import ECHO, Messages

target, descriptors, scenario = sys.argv[1:4]
messages = Messages(descriptors)
Request = messages["relay.grpc.test.EchoRequest"]
Response = messages["relay.grpc.test.EchoResponse"]
options = [("grpc.max_receive_message_length", 4 * 1024 * 1024)]
if len(sys.argv) > 4:
    with open(sys.argv[4], "rb") as ca:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca.read()), options)
else:
    channel = grpc.insecure_channel(target, options)


def stub(kind, path, response=Response):
    return getattr(channel, kind)(path, request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)


unary = stub("unary_unary", ECHO + "Unary")
client_stream = stub("stream_unary", ECHO + "ClientStream")
server_stream = stub("unary_stream", ECHO + "ServerStream")
duplex = stub("stream_stream", ECHO + "Duplex")
LIMIT = 20


def fails(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error
    raise AssertionError("the call did not fail")


def run_unary():
    assert unary(Request(text="héllo"), timeout=LIMIT).text == "héllo"
    assert unary(Request(), timeout=LIMIT) == Response()


def run_large():
    payload = bytes(range(256)) * (3 * 4096)
    assert unary(Request(payload=payload), timeout=LIMIT).payload == payload


def run_client_stream():
    answer = client_stream(iter(Request(text=str(i), payload=b"ab") for i in range(100)), timeout=LIMIT)
    assert answer.text == ",".join(str(i) for i in range(100)) + ":200"
    assert client_stream(iter(()), timeout=LIMIT).text == ":0"


def run_client_stream_stopped():
    hold = threading.Event()

    def requests():
        yield Request(text="stop")
        hold.wait(LIMIT)

    error = fails(grpc.StatusCode.ABORTED, lambda: client_stream(requests(), timeout=LIMIT))
    hold.set()
    assert error.details() == "stopped"


def run_server_stream():
    texts = [m.text for m in server_stream(Request(text="n", count=200), timeout=LIMIT)]
    assert texts == ["n %d" % i for i in range(200)]


def run_server_stream_fails():
    call = server_stream(Request(text="fail", count=2), timeout=LIMIT)
    assert [next(call).text, next(call).text] == ["fail 0", "fail 1"]
    error = fails(grpc.StatusCode.OUT_OF_RANGE, lambda: next(call))
    assert error.details() == "no more" and ("reason", "end") in error.trailing_metadata()


def run_duplex():
    received = threading.Semaphore(1)

    def requests():
        for i in range(50):
            assert received.acquire(timeout=LIMIT)
            yield Request(text=str(i))

    count = 0
    for message in duplex(requests(), timeout=LIMIT):
        assert message.text == str(count)
        count += 1
        received.release()
    assert count == 50


def run_deadline():
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(Request(text="hang"), timeout=2))


def run_cancel():
    call = server_stream(Request(text="hang", count=1), timeout=LIMIT)
    next(call)
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: next(call))


def run_oversize_request():
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(Request(payload=bytes(4 * 1024 * 1024)), timeout=LIMIT))


def run_oversize_response():
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(Request(count=4 * 1024 * 1024), timeout=LIMIT))


def run_unknown():
    for path in (ECHO + "Nothing", "/relay.grpc.test.NoService/Unary", ECHO + "Missing"):
        fails(grpc.StatusCode.UNIMPLEMENTED, lambda: stub("unary_unary", path)(Request(), timeout=LIMIT))


def run_metadata():
    sent = [("x-text", "a value, with a comma"), ("x-bytes-bin", b"\x00\x01\xfe\xff"), ("x-one-bin", b"\x01")]
    answer, call = unary.with_call(Request(text="metadata"), timeout=LIMIT, metadata=sent)
    for received in (call.initial_metadata(), call.trailing_metadata()):
        for entry in sent:
            assert entry in received, (entry, received)


def run_error():
    error = fails(grpc.StatusCode.FAILED_PRECONDITION, lambda: unary(Request(text="fail"), timeout=LIMIT))
    assert error.details() == "nicht möglich: 100 %\n☃", error.details()
    assert ("reason", "test") in error.trailing_metadata()
    assert ("reason-bin", b"\x00\x01\xfe\xff") in error.trailing_metadata()


def run_exception():
    error = fails(grpc.StatusCode.UNKNOWN, lambda: unary(Request(text="throw"), timeout=LIMIT))
    assert "secret" not in error.details()


def run_error_details():
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: unary(Request(text="details"), timeout=LIMIT))
    status = messages["google.rpc.Status"].FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (3, "bad field")
    info = messages["google.rpc.ErrorInfo"]()
    bad = messages["google.rpc.BadRequest"]()
    assert status.details[0].Unpack(info) and status.details[1].Unpack(bad)
    assert (info.reason, info.domain) == ("FIELD_INVALID", "relay.example")
    assert [(v.field, v.description) for v in bad.field_violations] == [("text", "must not be details")]


def run_gzip():
    payload = b"x" * 1000000
    call = duplex(iter([Request(payload=payload)] * 3), timeout=LIMIT, compression=grpc.Compression.Gzip)
    assert [m.payload for m in call] == [payload] * 3
    headers = unary(Request(text="headers"), timeout=LIMIT, compression=grpc.Compression.Gzip).text.lower()
    assert "grpc-encoding: gzip" in headers, headers


def run_health():
    health = "grpc.health.v1.HealthCheck"
    HealthRequest, HealthResponse = messages[health + "Request"], messages[health + "Response"]
    check = stub("unary_unary", "/grpc.health.v1.Health/Check", HealthResponse)
    assert check(HealthRequest(), timeout=LIMIT).status == 1
    assert check(HealthRequest(service="sick"), timeout=LIMIT).status == 2
    fails(grpc.StatusCode.NOT_FOUND, lambda: check(HealthRequest(service="nobody"), timeout=LIMIT))
    watch = stub("unary_stream", "/grpc.health.v1.Health/Watch", HealthResponse)(HealthRequest(service="nobody"), timeout=LIMIT)
    assert next(watch).status == 3
    watch.cancel()


def run_reflection():
    Ask, Answer = (messages["grpc.reflection.v1.ServerReflection" + name] for name in ("Request", "Response"))
    info = stub("stream_stream", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Answer)
    asks = [Ask(list_services="*"), Ask(file_containing_symbol="relay.grpc.test.EchoService"), Ask(file_by_filename="no/such.proto")]
    services, file, missing = info(iter(asks), timeout=LIMIT)
    names = [s.name for s in services.list_services_response.service]
    assert names == ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "relay.grpc.test.EchoService"], names
    from google.protobuf import descriptor_pb2
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert [m.name for m in proto.service[0].method] == ["Unary", "ClientStream", "ServerStream", "Duplex", "Missing"]
    assert missing.error_response.error_code == 5


globals()["run_" + scenario]()
channel.close()
