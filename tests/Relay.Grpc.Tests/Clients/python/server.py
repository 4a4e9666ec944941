"""The echo service on grpcio, for Relay.Grpc's own client: server.py DESCRIPTORS. Prints its port; ends with its standard input."""
import sys
import threading
from concurrent import futures

import grpc

from wire import ECHO, Messages

messages = Messages(sys.argv[1])
Request = messages["relay.grpc.test.EchoRequest"]
Response = messages["relay.grpc.test.EchoResponse"]


def say(line):
    print(line, flush=True)


def hang(context):
    ended = threading.Event()
    context.add_callback(ended.set)
    say("hanging")
    ended.wait(30)
    say("cancelled")


def unary(request, context):
    if request.text == "fail":
        context.set_trailing_metadata((("reason", "test"), ("reason-bin", b"\x00\x01\xfe\xff")))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nicht möglich: 100 %\n☃")
    if request.text == "hang":
        hang(context)
    if request.text == "metadata":
        echoed = tuple((e.key, e.value) for e in context.invocation_metadata() if e.key.startswith("x-"))
        context.send_initial_metadata(echoed)
        context.set_trailing_metadata(echoed)
    if request.text == "deadline":
        left = context.time_remaining()
        # Without a deadline grpcio 1.51 says some 10^18 seconds, others say None.
        return Response(text="none" if left is None or left > 1e9 else str(left))
    if request.text == "user-agent":
        return Response(text=dict((e.key, e.value) for e in context.invocation_metadata()).get("user-agent", ""))
    return Response(text=request.text, payload=bytes(request.count) if request.count else request.payload)


def client_stream(requests, context):
    texts = [request.text for request in requests]
    return Response(text=",".join(texts))


def server_stream(request, context):
    for i in range(request.count):
        yield Response(text="%s %d" % (request.text, i), payload=request.payload)
    if request.text == "hang":
        hang(context)
    if request.text == "fail":
        context.abort(grpc.StatusCode.OUT_OF_RANGE, "no more")


def duplex(requests, context):
    for request in requests:
        if request.text == "fail":
            context.abort(grpc.StatusCode.ABORTED, "as asked")
        yield Response(text=request.text, payload=request.payload)


def handler(kind, behaviour):
    return getattr(grpc, kind + "_rpc_method_handler")(
        behaviour, request_deserializer=Request.FromString, response_serializer=lambda m: m.SerializeToString())


server = grpc.server(futures.ThreadPoolExecutor(16), compression=grpc.Compression.Gzip)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO.strip("/"), {
    "Unary": handler("unary_unary", unary),
    "ClientStream": handler("stream_unary", client_stream),
    "ServerStream": handler("unary_stream", server_stream),
    "Duplex": handler("stream_stream", duplex),
}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
say(port)
sys.stdin.read()
server.stop(0)
