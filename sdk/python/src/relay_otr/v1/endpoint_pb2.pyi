from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConversationCounts(_message.Message):
    __slots__ = ["counted", "encrypted", "has_more", "held_messages", "keys_held", "quarantined"]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    HELD_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    KEYS_HELD_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    counted: int
    encrypted: int
    has_more: bool
    held_messages: int
    keys_held: int
    quarantined: int
    def __init__(self, counted: _Optional[int] = ..., has_more: bool = ..., encrypted: _Optional[int] = ..., held_messages: _Optional[int] = ..., keys_held: _Optional[int] = ..., quarantined: _Optional[int] = ...) -> None: ...

class CreateEndpointRequest(_message.Message):
    __slots__ = ["account", "burner_domain", "dsa", "endpoint_id", "libotr_private_key", "life", "max_wire_bytes", "network", "policy", "request_id"]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    BURNER_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    DSA_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    LIBOTR_PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    LIFE_FIELD_NUMBER: _ClassVar[int]
    MAX_WIRE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    burner_domain: str
    dsa: DsaKey
    endpoint_id: str
    libotr_private_key: bytes
    life: _duration_pb2.Duration
    max_wire_bytes: int
    network: str
    policy: Policy
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., network: _Optional[str] = ..., account: _Optional[str] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., max_wire_bytes: _Optional[int] = ..., dsa: _Optional[_Union[DsaKey, _Mapping]] = ..., libotr_private_key: _Optional[bytes] = ..., life: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., burner_domain: _Optional[str] = ...) -> None: ...

class DeleteEndpointRequest(_message.Message):
    __slots__ = ["etag", "name", "purge"]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURGE_FIELD_NUMBER: _ClassVar[int]
    etag: str
    name: str
    purge: bool
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., purge: bool = ...) -> None: ...

class DsaKey(_message.Message):
    __slots__ = ["g", "p", "q", "x", "y"]
    G_FIELD_NUMBER: _ClassVar[int]
    P_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    g: bytes
    p: bytes
    q: bytes
    x: bytes
    y: bytes
    def __init__(self, p: _Optional[bytes] = ..., q: _Optional[bytes] = ..., g: _Optional[bytes] = ..., y: _Optional[bytes] = ..., x: _Optional[bytes] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ["account", "create_time", "delete_time", "disable_event_stream", "display_name", "etag", "expire_time", "fingerprint", "former_identities", "has_answer_secret", "instance_tag", "max_wire_bytes", "name", "network", "padding_block", "policy", "purge_time", "query_text", "session_idle_life", "single_line", "text_format", "update_time", "verification_answer_time"]
    class TextFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AUTO: Endpoint.TextFormat
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    DISABLE_EVENT_STREAM_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    FORMER_IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    HAS_ANSWER_SECRET_FIELD_NUMBER: _ClassVar[int]
    HTML: Endpoint.TextFormat
    INSTANCE_TAG_FIELD_NUMBER: _ClassVar[int]
    MAX_WIRE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    PADDING_BLOCK_FIELD_NUMBER: _ClassVar[int]
    PLAIN: Endpoint.TextFormat
    POLICY_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUERY_TEXT_FIELD_NUMBER: _ClassVar[int]
    SESSION_IDLE_LIFE_FIELD_NUMBER: _ClassVar[int]
    SINGLE_LINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FORMAT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FORMAT_UNSPECIFIED: Endpoint.TextFormat
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    account: str
    create_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    disable_event_stream: bool
    display_name: str
    etag: str
    expire_time: _timestamp_pb2.Timestamp
    fingerprint: str
    former_identities: _containers.RepeatedCompositeFieldContainer[FormerIdentity]
    has_answer_secret: bool
    instance_tag: int
    max_wire_bytes: int
    name: str
    network: str
    padding_block: int
    policy: Policy
    purge_time: _timestamp_pb2.Timestamp
    query_text: str
    session_idle_life: _duration_pb2.Duration
    single_line: bool
    text_format: Endpoint.TextFormat
    update_time: _timestamp_pb2.Timestamp
    verification_answer_time: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., network: _Optional[str] = ..., account: _Optional[str] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., fingerprint: _Optional[str] = ..., instance_tag: _Optional[int] = ..., max_wire_bytes: _Optional[int] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., display_name: _Optional[str] = ..., single_line: bool = ..., query_text: _Optional[str] = ..., padding_block: _Optional[int] = ..., session_idle_life: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., verification_answer_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., text_format: _Optional[_Union[Endpoint.TextFormat, str]] = ..., disable_event_stream: bool = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., former_identities: _Optional[_Iterable[_Union[FormerIdentity, _Mapping]]] = ..., has_answer_secret: bool = ...) -> None: ...

class EndpointStatus(_message.Message):
    __slots__ = ["bridge_connect_time", "conversations", "events", "name", "wire"]
    BRIDGE_CONNECT_TIME_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    bridge_connect_time: _timestamp_pb2.Timestamp
    conversations: ConversationCounts
    events: StreamStatus
    name: str
    wire: StreamStatus
    def __init__(self, name: _Optional[str] = ..., events: _Optional[_Union[StreamStatus, _Mapping]] = ..., wire: _Optional[_Union[StreamStatus, _Mapping]] = ..., bridge_connect_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., conversations: _Optional[_Union[ConversationCounts, _Mapping]] = ...) -> None: ...

class ExportIdentityRequest(_message.Message):
    __slots__ = ["name", "page_token", "passphrase", "public_key"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_token: str
    passphrase: str
    public_key: bytes
    def __init__(self, name: _Optional[str] = ..., passphrase: _Optional[str] = ..., public_key: _Optional[bytes] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportIdentityResponse(_message.Message):
    __slots__ = ["content", "next_page_token", "peers", "quarantined"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    next_page_token: str
    peers: int
    quarantined: int
    def __init__(self, content: _Optional[bytes] = ..., next_page_token: _Optional[str] = ..., peers: _Optional[int] = ..., quarantined: _Optional[int] = ...) -> None: ...

class FormerIdentity(_message.Message):
    __slots__ = ["fingerprint", "retire_time"]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    RETIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    retire_time: _timestamp_pb2.Timestamp
    def __init__(self, fingerprint: _Optional[str] = ..., retire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetEndpointRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetEndpointStatusRequest(_message.Message):
    __slots__ = ["count_conversations", "name"]
    COUNT_CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    count_conversations: bool
    name: str
    def __init__(self, name: _Optional[str] = ..., count_conversations: bool = ...) -> None: ...

class ImportIdentityRequest(_message.Message):
    __slots__ = ["content", "endpoint_id", "name", "passphrase", "private_key", "request_id"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    endpoint_id: str
    name: str
    passphrase: str
    private_key: bytes
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., content: _Optional[bytes] = ..., passphrase: _Optional[str] = ..., private_key: _Optional[bytes] = ...) -> None: ...

class ImportIdentityResponse(_message.Message):
    __slots__ = ["endpoint", "export_id", "is_last", "keys", "part", "peers", "skipped", "without_room"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    EXPORT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_ROOM_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    export_id: str
    is_last: bool
    keys: int
    part: int
    peers: int
    skipped: int
    without_room: int
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ..., peers: _Optional[int] = ..., keys: _Optional[int] = ..., skipped: _Optional[int] = ..., without_room: _Optional[int] = ..., export_id: _Optional[str] = ..., part: _Optional[int] = ..., is_last: bool = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ["filter", "order_by", "page_size", "page_token", "show_deleted"]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    filter: str
    order_by: str
    page_size: int
    page_token: str
    show_deleted: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., show_deleted: bool = ..., order_by: _Optional[str] = ...) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ["endpoints", "next_page_token"]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    next_page_token: str
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ["allow_v2", "allow_v3", "ignore_strangers", "key_change", "require_encryption", "require_verified", "send_whitespace_tag", "start_on_error", "start_on_whitespace_tag"]
    class KeyChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class RequireVerified(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ALLOW_V2_FIELD_NUMBER: _ClassVar[int]
    ALLOW_V3_FIELD_NUMBER: _ClassVar[int]
    ALWAYS: Policy.RequireVerified
    HOLD: Policy.KeyChange
    IGNORE_STRANGERS_FIELD_NUMBER: _ClassVar[int]
    KEY_CHANGE_FIELD_NUMBER: _ClassVar[int]
    KEY_CHANGE_UNSPECIFIED: Policy.KeyChange
    NEVER: Policy.RequireVerified
    ONCE_VERIFIED: Policy.RequireVerified
    REFUSE: Policy.KeyChange
    REPORT: Policy.KeyChange
    REQUIRE_ENCRYPTION_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_VERIFIED_UNSPECIFIED: Policy.RequireVerified
    SEND_WHITESPACE_TAG_FIELD_NUMBER: _ClassVar[int]
    START_ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    START_ON_WHITESPACE_TAG_FIELD_NUMBER: _ClassVar[int]
    allow_v2: bool
    allow_v3: bool
    ignore_strangers: bool
    key_change: Policy.KeyChange
    require_encryption: bool
    require_verified: Policy.RequireVerified
    send_whitespace_tag: bool
    start_on_error: bool
    start_on_whitespace_tag: bool
    def __init__(self, allow_v2: bool = ..., allow_v3: bool = ..., require_encryption: bool = ..., send_whitespace_tag: bool = ..., start_on_whitespace_tag: bool = ..., start_on_error: bool = ..., key_change: _Optional[_Union[Policy.KeyChange, str]] = ..., require_verified: _Optional[_Union[Policy.RequireVerified, str]] = ..., ignore_strangers: bool = ...) -> None: ...

class RotateIdentityRequest(_message.Message):
    __slots__ = ["etag", "name", "request_id"]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    etag: str
    name: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class StreamStatus(_message.Message):
    __slots__ = ["backlog", "oldest_age"]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    backlog: int
    oldest_age: _duration_pb2.Duration
    def __init__(self, backlog: _Optional[int] = ..., oldest_age: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class UndeleteEndpointRequest(_message.Message):
    __slots__ = ["etag", "name"]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    etag: str
    name: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateEndpointRequest(_message.Message):
    __slots__ = ["endpoint", "update_mask"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
