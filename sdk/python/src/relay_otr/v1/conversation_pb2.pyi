from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
ENCRYPTED: MessageState
FINISHED: MessageState
MESSAGE_STATE_UNSPECIFIED: MessageState
PLAINTEXT: MessageState

class Conversation(_message.Message):
    __slots__ = ["name", "peer", "quarantined", "sessions", "state", "update_time"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    peer: str
    quarantined: bool
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    state: MessageState
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., peer: _Optional[str] = ..., state: _Optional[_Union[MessageState, str]] = ..., sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ..., update_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., quarantined: bool = ...) -> None: ...

class EndSessionRequest(_message.Message):
    __slots__ = ["parent", "peer", "request_id"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peer: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class EndSessionResponse(_message.Message):
    __slots__ = ["conversation", "state"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    state: MessageState
    def __init__(self, conversation: _Optional[str] = ..., state: _Optional[_Union[MessageState, str]] = ...) -> None: ...

class GetConversationRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListConversationsRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "parent"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    parent: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConversationsResponse(_message.Message):
    __slots__ = ["conversations", "next_page_token"]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[Conversation]
    next_page_token: str
    def __init__(self, conversations: _Optional[_Iterable[_Union[Conversation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResolveConversationRequest(_message.Message):
    __slots__ = ["parent", "peer"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peer: str
    def __init__(self, parent: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ["peer_fingerprint", "peer_instance_tag", "peer_verified", "protocol_version", "ssid", "ssid_first_half_bold", "state"]
    PEER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PEER_INSTANCE_TAG_FIELD_NUMBER: _ClassVar[int]
    PEER_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SSID_FIELD_NUMBER: _ClassVar[int]
    SSID_FIRST_HALF_BOLD_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    peer_fingerprint: str
    peer_instance_tag: int
    peer_verified: bool
    protocol_version: int
    ssid: bytes
    ssid_first_half_bold: bool
    state: MessageState
    def __init__(self, state: _Optional[_Union[MessageState, str]] = ..., protocol_version: _Optional[int] = ..., peer_instance_tag: _Optional[int] = ..., peer_fingerprint: _Optional[str] = ..., ssid: _Optional[bytes] = ..., ssid_first_half_bold: bool = ..., peer_verified: bool = ...) -> None: ...

class StartSessionRequest(_message.Message):
    __slots__ = ["parent", "peer", "request_id"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peer: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class StartSessionResponse(_message.Message):
    __slots__ = ["conversation"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    def __init__(self, conversation: _Optional[str] = ...) -> None: ...

class MessageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
