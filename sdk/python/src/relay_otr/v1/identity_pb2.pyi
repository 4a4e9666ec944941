from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
TRUST_UNSPECIFIED: Trust
TRUST_UNVERIFIED: Trust
TRUST_VERIFIED: Trust

class AcceptIdentityRequest(_message.Message):
    __slots__ = ["name", "request_id"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class GetIdentityRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ["fingerprint", "first_seen_time", "last_seen_time", "name", "note", "standing", "trust", "trust_source", "verify_time"]
    class Standing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACCEPTED: Identity.Standing
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    HELD: Identity.Standing
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REFUSED: Identity.Standing
    STANDING_FIELD_NUMBER: _ClassVar[int]
    STANDING_UNSPECIFIED: Identity.Standing
    TRUST_FIELD_NUMBER: _ClassVar[int]
    TRUST_SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    name: str
    note: str
    standing: Identity.Standing
    trust: Trust
    trust_source: str
    verify_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., fingerprint: _Optional[str] = ..., trust: _Optional[_Union[Trust, str]] = ..., trust_source: _Optional[str] = ..., note: _Optional[str] = ..., first_seen_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., verify_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., standing: _Optional[_Union[Identity.Standing, str]] = ...) -> None: ...

class ImportIdentitiesRequest(_message.Message):
    __slots__ = ["parent", "peers", "request_id"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peers: _containers.RepeatedCompositeFieldContainer[PeerIdentities]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., peers: _Optional[_Iterable[_Union[PeerIdentities, _Mapping]]] = ...) -> None: ...

class ImportIdentitiesResponse(_message.Message):
    __slots__ = ["keys", "peers", "skipped", "without_room"]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_ROOM_FIELD_NUMBER: _ClassVar[int]
    keys: int
    peers: int
    skipped: int
    without_room: int
    def __init__(self, peers: _Optional[int] = ..., keys: _Optional[int] = ..., skipped: _Optional[int] = ..., without_room: _Optional[int] = ...) -> None: ...

class KnownIdentity(_message.Message):
    __slots__ = ["fingerprint", "note", "trust_source"]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TRUST_SOURCE_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    note: str
    trust_source: str
    def __init__(self, fingerprint: _Optional[str] = ..., trust_source: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class ListIdentitiesRequest(_message.Message):
    __slots__ = ["parent"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class ListIdentitiesResponse(_message.Message):
    __slots__ = ["identities"]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    identities: _containers.RepeatedCompositeFieldContainer[Identity]
    def __init__(self, identities: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ...) -> None: ...

class PeerIdentities(_message.Message):
    __slots__ = ["identities", "peer"]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    identities: _containers.RepeatedCompositeFieldContainer[KnownIdentity]
    peer: str
    def __init__(self, peer: _Optional[str] = ..., identities: _Optional[_Iterable[_Union[KnownIdentity, _Mapping]]] = ...) -> None: ...

class RefuseIdentityRequest(_message.Message):
    __slots__ = ["name", "request_id"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class UpdateIdentityRequest(_message.Message):
    __slots__ = ["allow_missing", "identity", "request_id", "update_mask"]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    allow_missing: bool
    identity: Identity
    request_id: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, request_id: _Optional[str] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., allow_missing: bool = ...) -> None: ...

class Trust(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
