from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnswerVerificationRequest(_message.Message):
    __slots__ = ["name", "request_id", "secret"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    secret: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class CancelVerificationRequest(_message.Message):
    __slots__ = ["name", "request_id"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ClearAnswerSecretRequest(_message.Message):
    __slots__ = ["parent", "peer", "request_id"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peer: str
    request_id: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class ClearAnswerSecretResponse(_message.Message):
    __slots__ = ["conversation"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    def __init__(self, conversation: _Optional[str] = ...) -> None: ...

class CreateVerificationRequest(_message.Message):
    __slots__ = ["parent", "question", "request_id", "secret"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    parent: str
    question: str
    request_id: str
    secret: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., secret: _Optional[str] = ..., question: _Optional[str] = ...) -> None: ...

class GetVerificationRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListVerificationsRequest(_message.Message):
    __slots__ = ["parent"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class ListVerificationsResponse(_message.Message):
    __slots__ = ["verifications"]
    VERIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    verifications: _containers.RepeatedCompositeFieldContainer[Verification]
    def __init__(self, verifications: _Optional[_Iterable[_Union[Verification, _Mapping]]] = ...) -> None: ...

class SetAnswerSecretRequest(_message.Message):
    __slots__ = ["parent", "peer", "request_id", "secret"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    parent: str
    peer: str
    request_id: str
    secret: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., peer: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class SetAnswerSecretResponse(_message.Message):
    __slots__ = ["conversation"]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    def __init__(self, conversation: _Optional[str] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ["automatic", "begun_by_peer", "create_time", "expire_time", "identity", "name", "one_way", "question", "reason", "state", "update_time"]
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    BEGUN_BY_PEER_FIELD_NUMBER: _ClassVar[int]
    CANCELLED: Verification.State
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRED: Verification.State
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FAILED: Verification.State
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ONE_WAY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUNNING: Verification.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_UNSPECIFIED: Verification.State
    SUCCEEDED: Verification.State
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_ANSWER: Verification.State
    WAITING_FOR_PEER: Verification.State
    automatic: bool
    begun_by_peer: bool
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    identity: str
    name: str
    one_way: bool
    question: str
    reason: str
    state: Verification.State
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Verification.State, str]] = ..., reason: _Optional[str] = ..., begun_by_peer: bool = ..., question: _Optional[str] = ..., identity: _Optional[str] = ..., one_way: bool = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., automatic: bool = ...) -> None: ...
