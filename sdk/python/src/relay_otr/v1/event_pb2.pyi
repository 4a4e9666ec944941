from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relay_otr.v1 import conversation_pb2 as _conversation_pb2
from relay_otr.v1 import file_pb2 as _file_pb2
from relay_otr.v1 import identity_pb2 as _identity_pb2
from relay_otr.v1 import message_pb2 as _message_pb2
from relay_otr.v1 import verification_pb2 as _verification_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ack(_message.Message):
    __slots__ = ["endpoint", "sequence"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    sequence: int
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class AckEventsRequest(_message.Message):
    __slots__ = ["endpoint", "sequence"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    sequence: int
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class AckEventsResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ["endpoint", "sequence"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    sequence: int
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Event(_message.Message):
    __slots__ = ["conversation", "cursor", "delivery", "endpoint", "file_changed", "identity_changed", "message_changed", "message_dropped", "notice", "peer", "sequence", "session_changed", "subscription", "text_received", "time", "verification_changed"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    FILE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_CHANGED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_DROPPED_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SESSION_CHANGED_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_CHANGED_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    cursor: str
    delivery: int
    endpoint: str
    file_changed: _file_pb2.FileChanged
    identity_changed: IdentityChanged
    message_changed: MessageChanged
    message_dropped: MessageDropped
    notice: Notice
    peer: str
    sequence: int
    session_changed: SessionChanged
    subscription: str
    text_received: TextReceived
    time: _timestamp_pb2.Timestamp
    verification_changed: VerificationChanged
    def __init__(self, endpoint: _Optional[str] = ..., sequence: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., conversation: _Optional[str] = ..., peer: _Optional[str] = ..., text_received: _Optional[_Union[TextReceived, _Mapping]] = ..., session_changed: _Optional[_Union[SessionChanged, _Mapping]] = ..., message_dropped: _Optional[_Union[MessageDropped, _Mapping]] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ..., verification_changed: _Optional[_Union[VerificationChanged, _Mapping]] = ..., identity_changed: _Optional[_Union[IdentityChanged, _Mapping]] = ..., message_changed: _Optional[_Union[MessageChanged, _Mapping]] = ..., file_changed: _Optional[_Union[_file_pb2.FileChanged, _Mapping]] = ..., subscription: _Optional[str] = ..., cursor: _Optional[str] = ..., delivery: _Optional[int] = ...) -> None: ...

class IdentityChanged(_message.Message):
    __slots__ = ["identity"]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    identity: _identity_pb2.Identity
    def __init__(self, identity: _Optional[_Union[_identity_pb2.Identity, _Mapping]] = ...) -> None: ...

class KeepAlive(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class MessageChanged(_message.Message):
    __slots__ = ["message"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: _message_pb2.Message
    def __init__(self, message: _Optional[_Union[_message_pb2.Message, _Mapping]] = ...) -> None: ...

class MessageDropped(_message.Message):
    __slots__ = ["message", "reason", "request_id"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    message: str
    reason: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ["code", "text"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class OpenStream(_message.Message):
    __slots__ = ["after_sequence", "endpoint"]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    endpoint: str
    def __init__(self, endpoint: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class PullEventsRequest(_message.Message):
    __slots__ = ["after_sequence", "endpoint", "max_events", "wait"]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    endpoint: str
    max_events: int
    wait: _duration_pb2.Duration
    def __init__(self, endpoint: _Optional[str] = ..., after_sequence: _Optional[int] = ..., max_events: _Optional[int] = ..., wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PullEventsResponse(_message.Message):
    __slots__ = ["events", "last_sequence"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    last_sequence: int
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class SessionChanged(_message.Message):
    __slots__ = ["cause", "fingerprint_changed", "fingerprint_is_new", "session"]
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_UNSPECIFIED: SessionChanged.Cause
    ENDED_BY_PEER: SessionChanged.Cause
    ENDED_BY_US: SessionChanged.Cause
    EXPIRED: SessionChanged.Cause
    FINGERPRINT_CHANGED_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_IS_NEW_FIELD_NUMBER: _ClassVar[int]
    KEY_EXCHANGE: SessionChanged.Cause
    MADE_ROOM: SessionChanged.Cause
    SESSION_FIELD_NUMBER: _ClassVar[int]
    cause: SessionChanged.Cause
    fingerprint_changed: bool
    fingerprint_is_new: bool
    session: _conversation_pb2.Session
    def __init__(self, session: _Optional[_Union[_conversation_pb2.Session, _Mapping]] = ..., cause: _Optional[_Union[SessionChanged.Cause, str]] = ..., fingerprint_is_new: bool = ..., fingerprint_changed: bool = ...) -> None: ...

class StreamEventsRequest(_message.Message):
    __slots__ = ["ack", "open"]
    ACK_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ack: Ack
    open: OpenStream
    def __init__(self, open: _Optional[_Union[OpenStream, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ...) -> None: ...

class StreamEventsResponse(_message.Message):
    __slots__ = ["caught_up", "draining", "event", "keep_alive"]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    caught_up: CaughtUp
    draining: Draining
    event: Event
    keep_alive: KeepAlive
    def __init__(self, event: _Optional[_Union[Event, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ..., keep_alive: _Optional[_Union[KeepAlive, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ...) -> None: ...

class TextReceived(_message.Message):
    __slots__ = ["encrypted", "key_held", "network_time", "peer_fingerprint", "peer_verified", "text", "unexpectedly_clear"]
    ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
    KEY_HELD_FIELD_NUMBER: _ClassVar[int]
    NETWORK_TIME_FIELD_NUMBER: _ClassVar[int]
    PEER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PEER_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UNEXPECTEDLY_CLEAR_FIELD_NUMBER: _ClassVar[int]
    encrypted: bool
    key_held: bool
    network_time: _timestamp_pb2.Timestamp
    peer_fingerprint: str
    peer_verified: bool
    text: str
    unexpectedly_clear: bool
    def __init__(self, text: _Optional[str] = ..., encrypted: bool = ..., peer_fingerprint: _Optional[str] = ..., unexpectedly_clear: bool = ..., peer_verified: bool = ..., network_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., key_held: bool = ...) -> None: ...

class VerificationChanged(_message.Message):
    __slots__ = ["verification"]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    verification: _verification_pb2.Verification
    def __init__(self, verification: _Optional[_Union[_verification_pb2.Verification, _Mapping]] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ["after_sequence", "endpoint"]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    endpoint: str
    def __init__(self, endpoint: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...
