from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relay_otr.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AckSubscriptionRequest(_message.Message):
    __slots__ = ["cursors", "name"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    name: str
    def __init__(self, name: _Optional[str] = ..., cursors: _Optional[_Iterable[str]] = ...) -> None: ...

class AckSubscriptionResponse(_message.Message):
    __slots__ = ["acknowledged"]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    acknowledged: int
    def __init__(self, acknowledged: _Optional[int] = ...) -> None: ...

class AttachReader(_message.Message):
    __slots__ = ["credit", "name"]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    credit: int
    name: str
    def __init__(self, name: _Optional[str] = ..., credit: _Optional[int] = ...) -> None: ...

class CreateSubscriptionRequest(_message.Message):
    __slots__ = ["parent", "subscription", "subscription_id"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    subscription: Subscription
    subscription_id: str
    def __init__(self, parent: _Optional[str] = ..., subscription_id: _Optional[str] = ..., subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ["deliveries", "event", "note", "set_aside_time"]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    deliveries: int
    event: _event_pb2.Event
    note: str
    set_aside_time: _timestamp_pb2.Timestamp
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., deliveries: _Optional[int] = ..., set_aside_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class DeleteSubscriptionRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteSubscriptionResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DropDeadLettersRequest(_message.Message):
    __slots__ = ["cursors", "parent"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    parent: str
    def __init__(self, parent: _Optional[str] = ..., cursors: _Optional[_Iterable[str]] = ...) -> None: ...

class DropDeadLettersResponse(_message.Message):
    __slots__ = ["dropped"]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    dropped: int
    def __init__(self, dropped: _Optional[int] = ...) -> None: ...

class EventAck(_message.Message):
    __slots__ = ["cursors"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cursors: _Optional[_Iterable[str]] = ...) -> None: ...

class EventNack(_message.Message):
    __slots__ = ["cursors", "delay", "note", "terminate"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TERMINATE_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    delay: _duration_pb2.Duration
    note: str
    terminate: bool
    def __init__(self, cursors: _Optional[_Iterable[str]] = ..., delay: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., terminate: bool = ..., note: _Optional[str] = ...) -> None: ...

class EventsSettled(_message.Message):
    __slots__ = ["cursors", "reject_reason"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    reject_reason: str
    def __init__(self, cursors: _Optional[_Iterable[str]] = ..., reject_reason: _Optional[str] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "parent"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    parent: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ["dead_letters", "next_page_token"]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ["parent"]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ["subscriptions"]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ...) -> None: ...

class NackSubscriptionRequest(_message.Message):
    __slots__ = ["cursors", "delay", "name", "note", "terminate"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TERMINATE_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    delay: _duration_pb2.Duration
    name: str
    note: str
    terminate: bool
    def __init__(self, name: _Optional[str] = ..., cursors: _Optional[_Iterable[str]] = ..., delay: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., terminate: bool = ..., note: _Optional[str] = ...) -> None: ...

class NackSubscriptionResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class PullSubscriptionRequest(_message.Message):
    __slots__ = ["max_events", "name", "wait"]
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    max_events: int
    name: str
    wait: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., max_events: _Optional[int] = ..., wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PullSubscriptionResponse(_message.Message):
    __slots__ = ["events"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class RetryDeadLettersRequest(_message.Message):
    __slots__ = ["cursors", "parent"]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedScalarFieldContainer[str]
    parent: str
    def __init__(self, parent: _Optional[str] = ..., cursors: _Optional[_Iterable[str]] = ...) -> None: ...

class RetryDeadLettersResponse(_message.Message):
    __slots__ = ["retried"]
    RETRIED_FIELD_NUMBER: _ClassVar[int]
    retried: int
    def __init__(self, retried: _Optional[int] = ...) -> None: ...

class SeekSubscriptionRequest(_message.Message):
    __slots__ = ["name", "time"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SeekSubscriptionResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ["ack", "attach", "credit", "nack"]
    ACK_FIELD_NUMBER: _ClassVar[int]
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    NACK_FIELD_NUMBER: _ClassVar[int]
    ack: EventAck
    attach: AttachReader
    credit: int
    nack: EventNack
    def __init__(self, attach: _Optional[_Union[AttachReader, _Mapping]] = ..., ack: _Optional[_Union[EventAck, _Mapping]] = ..., nack: _Optional[_Union[EventNack, _Mapping]] = ..., credit: _Optional[int] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ["caught_up", "draining", "event", "keep_alive", "settled"]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    caught_up: _event_pb2.CaughtUp
    draining: _event_pb2.Draining
    event: _event_pb2.Event
    keep_alive: _event_pb2.KeepAlive
    settled: EventsSettled
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., caught_up: _Optional[_Union[_event_pb2.CaughtUp, _Mapping]] = ..., keep_alive: _Optional[_Union[_event_pb2.KeepAlive, _Mapping]] = ..., draining: _Optional[_Union[_event_pb2.Draining, _Mapping]] = ..., settled: _Optional[_Union[EventsSettled, _Mapping]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ["ack_wait", "dead_letters", "last_ack_time", "last_nack_note", "last_nack_time", "max_deliveries", "name", "oldest_age", "pending", "readers", "types", "unacknowledged", "webhook"]
    class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACK_WAIT_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_UNSPECIFIED: Subscription.EventType
    FILE_CHANGED: Subscription.EventType
    IDENTITY_CHANGED: Subscription.EventType
    LAST_ACK_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_NACK_NOTE_FIELD_NUMBER: _ClassVar[int]
    LAST_NACK_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_CHANGED: Subscription.EventType
    MESSAGE_DROPPED: Subscription.EventType
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTICE: Subscription.EventType
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    SESSION_CHANGED: Subscription.EventType
    TEXT_RECEIVED: Subscription.EventType
    TYPES_FIELD_NUMBER: _ClassVar[int]
    UNACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_CHANGED: Subscription.EventType
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    ack_wait: _duration_pb2.Duration
    dead_letters: int
    last_ack_time: _timestamp_pb2.Timestamp
    last_nack_note: str
    last_nack_time: _timestamp_pb2.Timestamp
    max_deliveries: int
    name: str
    oldest_age: _duration_pb2.Duration
    pending: int
    readers: int
    types: _containers.RepeatedScalarFieldContainer[Subscription.EventType]
    unacknowledged: int
    webhook: Webhook
    def __init__(self, name: _Optional[str] = ..., types: _Optional[_Iterable[_Union[Subscription.EventType, str]]] = ..., ack_wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_deliveries: _Optional[int] = ..., webhook: _Optional[_Union[Webhook, _Mapping]] = ..., pending: _Optional[int] = ..., unacknowledged: _Optional[int] = ..., dead_letters: _Optional[int] = ..., oldest_age: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., readers: _Optional[int] = ..., last_ack_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_nack_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_nack_note: _Optional[str] = ...) -> None: ...

class UpdateSubscriptionRequest(_message.Message):
    __slots__ = ["subscription", "update_mask"]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class WatchSubscriptionRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class WatchSubscriptionResponse(_message.Message):
    __slots__ = ["caught_up", "draining", "event", "keep_alive"]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    caught_up: _event_pb2.CaughtUp
    draining: _event_pb2.Draining
    event: _event_pb2.Event
    keep_alive: _event_pb2.KeepAlive
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., caught_up: _Optional[_Union[_event_pb2.CaughtUp, _Mapping]] = ..., keep_alive: _Optional[_Union[_event_pb2.KeepAlive, _Mapping]] = ..., draining: _Optional[_Union[_event_pb2.Draining, _Mapping]] = ...) -> None: ...

class Webhook(_message.Message):
    __slots__ = ["secret", "url"]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    secret: str
    url: str
    def __init__(self, url: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...
