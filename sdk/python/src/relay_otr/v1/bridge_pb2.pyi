from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relay_otr.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AckWireRequest(_message.Message):
    __slots__ = ["endpoint", "sequence"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    sequence: int
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class AckWireResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class InboundResult(_message.Message):
    __slots__ = ["endpoint", "message_id", "peer", "reject_reason", "retry", "retry_delay"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    message_id: str
    peer: str
    reject_reason: str
    retry: bool
    retry_delay: _duration_pb2.Duration
    def __init__(self, endpoint: _Optional[str] = ..., peer: _Optional[str] = ..., message_id: _Optional[str] = ..., reject_reason: _Optional[str] = ..., retry: bool = ..., retry_delay: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class InboundWire(_message.Message):
    __slots__ = ["after_message_id", "endpoint", "message_id", "network_time", "peer", "text"]
    AFTER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_TIME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    after_message_id: str
    endpoint: str
    message_id: str
    network_time: _timestamp_pb2.Timestamp
    peer: str
    text: bytes
    def __init__(self, endpoint: _Optional[str] = ..., peer: _Optional[str] = ..., message_id: _Optional[str] = ..., text: _Optional[bytes] = ..., after_message_id: _Optional[str] = ..., network_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OutboundWire(_message.Message):
    __slots__ = ["endpoint", "file", "file_url", "message", "peer", "piece", "pieces", "sequence", "text"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    file: str
    file_url: str
    message: str
    peer: str
    piece: int
    pieces: int
    sequence: int
    text: bytes
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ..., peer: _Optional[str] = ..., text: _Optional[bytes] = ..., message: _Optional[str] = ..., piece: _Optional[int] = ..., pieces: _Optional[int] = ..., file: _Optional[str] = ..., file_url: _Optional[str] = ...) -> None: ...

class PullWireRequest(_message.Message):
    __slots__ = ["after_sequence", "endpoint", "max_messages", "wait"]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    endpoint: str
    max_messages: int
    wait: _duration_pb2.Duration
    def __init__(self, endpoint: _Optional[str] = ..., after_sequence: _Optional[int] = ..., max_messages: _Optional[int] = ..., wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PullWireResponse(_message.Message):
    __slots__ = ["last_sequence", "messages"]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    last_sequence: int
    messages: _containers.RepeatedCompositeFieldContainer[OutboundWire]
    def __init__(self, messages: _Optional[_Iterable[_Union[OutboundWire, _Mapping]]] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class PushWireRequest(_message.Message):
    __slots__ = ["message"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: InboundWire
    def __init__(self, message: _Optional[_Union[InboundWire, _Mapping]] = ...) -> None: ...

class PushWireResponse(_message.Message):
    __slots__ = ["result"]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: InboundResult
    def __init__(self, result: _Optional[_Union[InboundResult, _Mapping]] = ...) -> None: ...

class SettleWireRequest(_message.Message):
    __slots__ = ["delivered", "endpoint", "settlements"]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    delivered: _containers.RepeatedScalarFieldContainer[str]
    endpoint: str
    settlements: _containers.RepeatedCompositeFieldContainer[Settlement]
    def __init__(self, endpoint: _Optional[str] = ..., settlements: _Optional[_Iterable[_Union[Settlement, _Mapping]]] = ..., delivered: _Optional[_Iterable[str]] = ...) -> None: ...

class SettleWireResponse(_message.Message):
    __slots__ = ["acknowledged_sequence", "endpoint", "results", "unknown"]
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence: int
    endpoint: str
    results: _containers.RepeatedCompositeFieldContainer[SettlementResult]
    unknown: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, endpoint: _Optional[str] = ..., acknowledged_sequence: _Optional[int] = ..., results: _Optional[_Iterable[_Union[SettlementResult, _Mapping]]] = ..., unknown: _Optional[_Iterable[str]] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ["failure", "sequence"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    failure: str
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...

class SettlementResult(_message.Message):
    __slots__ = ["reason", "retry", "sequence"]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    retry: bool
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., reason: _Optional[str] = ..., retry: bool = ...) -> None: ...

class StreamWireRequest(_message.Message):
    __slots__ = ["ack", "inbound", "open", "settle"]
    ACK_FIELD_NUMBER: _ClassVar[int]
    INBOUND_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    ack: _event_pb2.Ack
    inbound: InboundWire
    open: _event_pb2.OpenStream
    settle: SettleWireRequest
    def __init__(self, open: _Optional[_Union[_event_pb2.OpenStream, _Mapping]] = ..., inbound: _Optional[_Union[InboundWire, _Mapping]] = ..., ack: _Optional[_Union[_event_pb2.Ack, _Mapping]] = ..., settle: _Optional[_Union[SettleWireRequest, _Mapping]] = ...) -> None: ...

class StreamWireResponse(_message.Message):
    __slots__ = ["caught_up", "draining", "inbound_result", "keep_alive", "outbound", "settled"]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    INBOUND_RESULT_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    caught_up: _event_pb2.CaughtUp
    draining: _event_pb2.Draining
    inbound_result: InboundResult
    keep_alive: _event_pb2.KeepAlive
    outbound: OutboundWire
    settled: SettleWireResponse
    def __init__(self, outbound: _Optional[_Union[OutboundWire, _Mapping]] = ..., inbound_result: _Optional[_Union[InboundResult, _Mapping]] = ..., caught_up: _Optional[_Union[_event_pb2.CaughtUp, _Mapping]] = ..., keep_alive: _Optional[_Union[_event_pb2.KeepAlive, _Mapping]] = ..., draining: _Optional[_Union[_event_pb2.Draining, _Mapping]] = ..., settled: _Optional[_Union[SettleWireResponse, _Mapping]] = ...) -> None: ...
