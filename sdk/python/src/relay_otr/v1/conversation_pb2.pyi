from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relay_otr.v1 import identity_pb2 as _identity_pb2
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
    __slots__ = ["create_time", "etag", "has_answer_secret", "held_messages", "key_held", "labels", "name", "peer", "quarantined", "sessions", "state", "trust", "update_time"]
    class LabelsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    HAS_ANSWER_SECRET_FIELD_NUMBER: _ClassVar[int]
    HELD_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    KEY_HELD_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    create_time: _timestamp_pb2.Timestamp
    etag: str
    has_answer_secret: bool
    held_messages: int
    key_held: bool
    labels: _containers.ScalarMap[str, str]
    name: str
    peer: str
    quarantined: bool
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    state: MessageState
    trust: _identity_pb2.Trust
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., peer: _Optional[str] = ..., state: _Optional[_Union[MessageState, str]] = ..., sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ..., update_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., quarantined: bool = ..., labels: _Optional[_Mapping[str, str]] = ..., etag: _Optional[str] = ..., trust: _Optional[_Union[_identity_pb2.Trust, str]] = ..., key_held: bool = ..., held_messages: _Optional[int] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., has_answer_secret: bool = ...) -> None: ...

class DeleteConversationRequest(_message.Message):
    __slots__ = ["name", "request_id"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteConversationResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

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
    __slots__ = ["filter", "order_by", "page_size", "page_token", "parent"]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    filter: str
    order_by: str
    page_size: int
    page_token: str
    parent: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ...) -> None: ...

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
    __slots__ = ["key_held", "peer_fingerprint", "peer_instance_tag", "peer_verified", "protocol_version", "ssid", "ssid_first_half_bold", "state"]
    KEY_HELD_FIELD_NUMBER: _ClassVar[int]
    PEER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PEER_INSTANCE_TAG_FIELD_NUMBER: _ClassVar[int]
    PEER_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SSID_FIELD_NUMBER: _ClassVar[int]
    SSID_FIRST_HALF_BOLD_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    key_held: bool
    peer_fingerprint: str
    peer_instance_tag: int
    peer_verified: bool
    protocol_version: int
    ssid: bytes
    ssid_first_half_bold: bool
    state: MessageState
    def __init__(self, state: _Optional[_Union[MessageState, str]] = ..., protocol_version: _Optional[int] = ..., peer_instance_tag: _Optional[int] = ..., peer_fingerprint: _Optional[str] = ..., ssid: _Optional[bytes] = ..., ssid_first_half_bold: bool = ..., peer_verified: bool = ..., key_held: bool = ...) -> None: ...

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

class UpdateConversationRequest(_message.Message):
    __slots__ = ["conversation", "request_id", "update_mask"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    request_id: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, request_id: _Optional[str] = ..., conversation: _Optional[_Union[Conversation, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class MessageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
