"""echo_bot.py endpoints/NAME, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER."""
import os, queue, sys, time, grpc
from relay.v1 import conversation_pb2 as conversation, conversation_pb2_grpc, event_pb2 as event, event_pb2_grpc

endpoint, PASSING = sys.argv[1], ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
auth = [("authorization", "Bearer " + open(os.environ["RELAY_KEY_FILE"]).read().strip())]
channel = grpc.insecure_channel(os.environ.get("RELAY_SERVER", "http://127.0.0.1:7420").removeprefix("http://"))
events, messages = event_pb2_grpc.EventServiceStub(channel), conversation_pb2_grpc.MessageServiceStub(channel)
while True:
    requests = queue.SimpleQueue()
    requests.put(event.StreamEventsRequest(open=event.OpenStream(endpoint=endpoint)))
    try:
        for response in events.StreamEvents(iter(requests.get, None), metadata=auth, timeout=60):  # a dead stream ends, too
            e = response.event
            if e.text_received.encrypted:
                reply = messages.SendMessage.future(conversation.SendMessageRequest(
                    request_id=f"reply-{e.sequence}", text="echo: " + e.text_received.text,
                    parent=e.conversation), metadata=auth)
                if reply.code().name in PASSING: raise reply  # else it is sent, or refused: the peer has ended the session, say
            if e.sequence:
                requests.put(event.StreamEventsRequest(ack=event.Ack(endpoint=endpoint, sequence=e.sequence)))
    except grpc.RpcError as error:
        if error.code().name not in PASSING: raise
    time.sleep(1)
