// The messages of relay.v1 as the package gives and takes them, made by sdk/make-stubs.sh. In an answer every field is set, a message
// that was not sent is null, and of a oneof one field is there; in a request every field may be left out.

export interface Timestamp { seconds: string; nanos: number }
export interface Duration { seconds: string; nanos: number }
export interface FieldMask { paths: string[] }

/** A message to send: every field may be left out. */
export type Input<T> = T extends Buffer | string | number | boolean | null | undefined ? T
  : T extends (infer E)[] ? Input<E>[] : { [K in keyof T]?: Input<T[K]> };
export interface Call<Request, Response> { request: Request; response: Response }
export type RequestOf<T> = T extends Call<infer R, unknown> ? Input<R> : never;
export type ResponseOf<T> = T extends Call<unknown, infer R> ? R : never;

/**
 * What a key, a token or a certificate permits. One may have several, but never both BOT and BRIDGE, so that no single secret gives
 * access to both plaintext and wire text.
 */
export type Scope =
  | 'SCOPE_UNSPECIFIED'
  | 'BOT'
  | 'BRIDGE'
  | 'ADMIN'
  | 'MONITOR'
  | 'TRUST'
  | 'KEYS';

export interface ApiKey {
  /** `apiKeys/{key}` */
  name: string;
  /** What it permits. */
  scopes: Scope[];
  /** The endpoints that the key is limited to: `endpoints/{endpoint}`, or the beginning of such names followed by `*`. Empty: all. */
  endpoints: string[];
  /** A name that the creator chose. */
  displayName: string;
  /** When it was created. */
  createTime: Timestamp | null;
  /** Unset: the key does not expire. */
  expireTime: Timestamp | null;
  /** Set if the key was revoked. */
  revokeTime: Timestamp | null;
  /** Set while the secret before a rotation is valid beside the new one: when it ends. */
  previousSecretExpireTime: Timestamp | null;
  /** The hour of the key's last use; unset: none is recorded. It is recorded with a delay of some minutes. */
  lastUseTime: Timestamp | null;
  /** The limits that differ from those of the server. */
  limits: CallerLimits | null;
}

/** Limits of one caller. A field that is not set stands for the server's configuration. */
export interface CallerLimits {
  /** 1 to 1,000,000. */
  callsPerSecond?: number;
  /** Calls for one endpoint, 1 to 1,000,000. */
  callsPerSecondAndEndpoint?: number;
  /** Open streams, 1 to 100,000. */
  streams?: number;
  /** Endpoints created, 1 to 1,000,000. */
  endpointsPerDay?: number;
}

/** Who makes a call. */
export interface Caller {
  /** `apiKeys/{key}`, `tokens/{subject}` or `certificates/{name}`. */
  name: string;
  /** What the caller may do. */
  scopes: Scope[];
  /** As of an API key. A token or a certificate that names none may use none; then `scopes` are of use for the server itself only. */
  endpoints: string[];
  /** The end of the key, the token or the certificate; unset: it has none. */
  expireTime: Timestamp | null;
  /** Set if the call is authenticated by an API key. */
  apiKey: ApiKey | null;
  /** Every limit of the caller, at the node that answers: each node counts its own calls. */
  limits: Limit[];
}

/** A limit, and what is used of it. */
export interface Limit {
  /**
   * `calls_per_second`, `calls_per_second_and_endpoint` (without `used`), `streams`, `endpoints_per_day`, or `conversations_per_endpoint`
   * (without `used`; the same for every caller).
   */
  name: string;
  /** The most that is allowed. */
  limit: string;
  /** What is used of it now, or today. */
  used: string;
}

export interface CreateApiKeyRequest {
  /**
   * Idempotency key, 1 to 128 bytes. A retry fails with ALREADY_EXISTS and the key's name, because the secret is not stored:
   * revoke the key and create another.
   */
  requestId: string;
  /** At least one, each once; not both BOT and BRIDGE. */
  scopes: Scope[];
  /**
   * `endpoints/{endpoint}`, or the beginning of such names followed by `*` (`endpoints/support-*`); at most 100. Empty: all endpoints,
   * including those created later. Must be empty for a key of scope ADMIN or KEYS.
   */
  endpoints: string[];
  /** At most 100 characters. */
  displayName: string;
  /** Must be in the future. Unset: in a year, unless `no_expiry` is set. */
  expireTime: Timestamp | null;
  /** The key does not expire. `expire_time` must be unset. */
  noExpiry: boolean;
  /** Limits that differ from those of the server. */
  limits: CallerLimits | null;
}

export interface CreateApiKeyResponse {
  /** The key, without its secret. */
  apiKey: ApiKey | null;
  /** `relay_{key}_{secret}`, to be sent as `authorization: Bearer …`. */
  token: string;
}

export interface ListApiKeysRequest {
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
}

export interface ListApiKeysResponse {
  /** In order of name. */
  apiKeys: ApiKey[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface GetCallerRequest {
}

export interface RotateApiKeyRequest {
  /** Idempotency key, 1 to 128 bytes. A retry fails with ALREADY_EXISTS, because the secret is not stored: rotate again with another id. */
  requestId: string;
  /** `apiKeys/{key}` */
  name: string;
  /** For how long the present secret stays valid: zero to 30 days. Unset: one day. */
  overlap: Duration | null;
  /** The key's new expiry, in the future. Unset: as before. */
  expireTime: Timestamp | null;
}

export interface UpdateApiKeyRequest {
  /** Its name, and the fields that the mask names. */
  apiKey: ApiKey | null;
  /**
   * Required: `display_name`, `expire_time` (must be in the future; the key does not expire if the request has none), `limits` or one of
   * them (`limits.streams`; as the server's if the request has none).
   */
  updateMask: FieldMask | null;
}

export interface DeleteApiKeyRequest {
  /** `apiKeys/{key}` */
  name: string;
}

export interface DeleteApiKeyResponse {
}

export interface RevokeApiKeyRequest {
  /** `apiKeys/{key}` */
  name: string;
}

export interface GetServerRequest {
}

export interface Server {
  /** Of Relay, as `relay --version` prints it. */
  version: string;
  /** When the process started. */
  startTime: Timestamp | null;
  /** The server's current time, for comparison with the caller's clock. */
  time: Timestamp | null;
  /** The exponentiation kernel in use: "avx512", "avx2", "portable", or empty if unknown. */
  kernel: string;
  /** True while the server drains and accepts no new work. */
  draining: boolean;
  /** The end of its TLS certificate; unset if it has none. */
  certificateExpireTime: Timestamp | null;
}

export interface ListNodesRequest {
}

export interface ListNodesResponse {
  /** Ordered by name. */
  nodes: Node[];
}

export interface Node {
  /** The node's host and port in the cluster. */
  name: string;
  /** True for the node that answers this request. */
  answering: boolean;
  /** Where it is in the cluster's life. */
  state: NodeState;
  /** False while the failure detector of another node considers it unreachable. */
  reachable: boolean;
  /** The number of shards that it owns; absent if it did not report it. */
  shards?: number;
  /** The number of conversations that it has in memory; absent if it did not report it. */
  conversations?: number;
}

/** The state of a node's membership in the cluster. */
export type NodeState =
  | 'NODE_STATE_UNSPECIFIED'
  | 'NODE_STATE_JOINING'
  | 'NODE_STATE_UP'
  | 'NODE_STATE_LEAVING'
  | 'NODE_STATE_DOWN';

export interface ListAuditEntriesRequest {
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
  /** Lists the entries after this one only. 0: all that are kept. */
  afterSequence: string;
}

export interface ListAuditEntriesResponse {
  /** In order of sequence. */
  auditEntries: AuditEntry[];
  /** Empty on the last page. */
  nextPageToken: string;
  /** The sequence of the last entry of the log; 0 if it is empty. */
  lastSequence: string;
}

/** What somebody did, without content: neither peers nor conversations are named, nor any text, secret or fingerprint. */
export interface AuditEntry {
  /** Gap-free, from 1. */
  sequence: string;
  /** When it was written, by the clock of the node. */
  createTime: Timestamp | null;
  /** What the entry says. */
  kind: AuditKind;
  /** Who did it, as in `Caller.name`. Empty for what the server did itself. */
  caller: string;
  /** Service and method: `AdminService/CreateApiKey`. Of refusals, the status with which they were refused. */
  method: string;
  /** The endpoint, subscription or API key concerned; empty if there is none. */
  resource: string;
  /** Of AUDIT_KIND_FAILED: the code of the status (google.rpc.Code). */
  status: number;
  /** Of AUDIT_KIND_REFUSED: how many. */
  count: string;
  /**
   * The sequence of the entry that this one is about; of AUDIT_KIND_TRIMMED the last that was removed, of AUDIT_KIND_BROKEN the last that
   * the node had seen.
   */
  refers: string;
  /** SHA-256 of the entry before, 32 bytes; zeros in the first. */
  previousHash: Buffer;
  /** SHA-256 of this entry's text, which docs/audit.md describes. */
  hash: Buffer;
  /** The stored entry cannot be decrypted: it was changed, or sealed with another key. Only `sequence` is set. */
  damaged: boolean;
}

export type AuditKind =
  | 'AUDIT_KIND_UNSPECIFIED'
  | 'AUDIT_KIND_BEGUN'
  | 'AUDIT_KIND_DONE'
  | 'AUDIT_KIND_FAILED'
  | 'AUDIT_KIND_REFUSED'
  | 'AUDIT_KIND_STARTED'
  | 'AUDIT_KIND_SWITCHED_OFF'
  | 'AUDIT_KIND_TRIMMED'
  | 'AUDIT_KIND_BROKEN';

export interface StreamWireRequest {
  /** Begins the delivery of an endpoint's wire text. */
  open?: OpenStream;
  /** Wire text that arrived. */
  inbound?: InboundWire;
  /** The network has what is acknowledged. */
  ack?: Ack;
  /** Settlements and confirmations. The requests after it are handled once it is done. */
  settle?: SettleWireRequest;
  message?: 'open' | 'inbound' | 'ack' | 'settle';
}

export interface StreamWireResponse {
  /** Wire text to carry. */
  outbound?: OutboundWire;
  /** What became of wire text that arrived. */
  inboundResult?: InboundResult;
  /** All wire text that was stored when the stream was opened has been delivered; what follows is new. */
  caughtUp?: CaughtUp;
  /** Nothing else was sent for 15 seconds. */
  keepAlive?: KeepAlive;
  /** The server is about to close the stream: reconnect, to another node if there is one. */
  draining?: Draining;
  /** Answers a `settle`. */
  settled?: SettleWireResponse;
  message?: 'outbound' | 'inboundResult' | 'caughtUp' | 'keepAlive' | 'draining' | 'settled';
}

/** A message received from the network, byte for byte. */
export interface InboundWire {
  /** `endpoints/{endpoint}`: the account to which it was written. */
  endpoint: string;
  /**
   * Who wrote it: the address on the endpoint's network, 1 to 3071 bytes of UTF-8 without control characters. Peers are told apart byte by
   * byte, so a bridge writes each address in one way.
   */
  peer: string;
  /** The idempotency key of this message, unique within (endpoint, peer): 1 to 128 bytes. */
  messageId: string;
  /**
   * 1 to 131,072 bytes. The network's messages may be longer: a bridge then sends the first 200,000 bytes, which are rejected as
   * TOO_LARGE; the bot gets a notice, and the peer an OTR error if it was OTR. More than 262,144 bytes end the stream.
   */
  text: Buffer;
  /**
   * The id of the peer's preceding message, to send this one before that one's result has arrived: up to 16 messages may then
   * be in flight. This message is accepted only after the preceding one; otherwise the result is `retry` with reason
   * OUT_OF_ORDER, and the bridge resends this peer's messages in order, from the first one without a result.
   */
  afterMessageId: string;
  /** When the message was sent, if the network says so; the bot's event has it. */
  networkTime: Timestamp | null;
}

/** The result of one inbound message: stored durably, or rejected. In both cases it need not be sent again, unless `retry` is set. */
export interface InboundResult {
  /** As in the message. */
  endpoint: string;
  /** As in the message. */
  peer: string;
  /** As in the message: which one the result is for. */
  messageId: string;
  /** Empty if it was accepted; otherwise a stable reason: MALFORMED, BAD_MAC, OTHER_INSTANCE, TOO_LARGE, OVERLOADED, OUT_OF_ORDER, … */
  rejectReason: string;
  /** True: not accepted for a temporary reason; send it again. */
  retry: boolean;
  /** With `retry`: how long to wait. */
  retryDelay: Duration | null;
}

/** Wire text to be delivered to the peer, in order of sequence. */
export interface OutboundWire {
  /** `endpoints/{endpoint}`: the account that writes it. */
  endpoint: string;
  /** Its place in the endpoint's wire stream, from 1: what a bridge acknowledges. */
  sequence: string;
  /** Where it goes: the address on the endpoint's network. */
  peer: string;
  /** To be sent byte for byte: at most `Endpoint.max_wire_bytes`, printable ASCII if it is OTR. */
  text: Buffer;
  /**
   * The name of the bot's message that it carries, or whose session it offers; empty for all other wire text. Only the last piece of a
   * message needs a confirmation of the peer's program (`SettleWireRequest.delivered`).
   */
  message: string;
  /** Which piece of the message it is, from 1; 0 without a message. */
  piece: number;
  /** How many pieces the message has; 0 without a message. */
  pieces: number;
  /**
   * The name of the file that it offers, whose blob (FileService.DownloadBlob) the bridge brings to the peer by its network's means, if it
   * has any; empty for all other wire text. A bridge that carries no blobs carries the text if the offer has a link (`file_url`), and otherwise
   * refuses it as FILE_NOT_CARRIED.
   */
  file: string;
  /**
   * Where the server serves that blob to whoever has this link; the offer has it too. Empty if it serves none: its operator has set no public
   * URL.
   */
  fileUrl: string;
}

export interface PushWireRequest {
  /** What arrived. */
  message: InboundWire | null;
}

export interface PushWireResponse {
  /** What became of it. */
  result: InboundResult | null;
}

export interface PullWireRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** As in OpenStream. */
  afterSequence?: string;
  /** 0 means 100; at most 1000. */
  maxMessages: number;
  /** Long poll: if there is nothing yet, the time to wait for the first item; at most 60 seconds. */
  wait: Duration | null;
}

export interface PullWireResponse {
  /** In order of sequence. */
  messages: OutboundWire[];
  /** The last sequence of the stream. */
  lastSequence: string;
}

export interface Settlement {
  /** OutboundWire.sequence */
  sequence: string;
  /**
   * Empty: the network has it. Otherwise why not: NO_SUCH_PEER, PEER_UNAVAILABLE, BLOCKED (by the peer or its server), NOT_ALLOWED (the
   * sender may not), TOO_LARGE, NO_ROUTE (the peer's server cannot be reached), FILE_NOT_CARRIED (the bridge carries no blobs, and the offer
   * of a file has no link), REFUSED (anything else). The file that a refused wire text offers becomes UNDELIVERABLE.
   */
  failure: string;
}

export interface SettleWireRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** At most 100. */
  settlements: Settlement[];
  /** Names of messages that the peer's program has confirmed (OutboundWire.message). At most 100. */
  delivered: string[];
}

export interface SettleWireResponse {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** The last acknowledged sequence: everything up to it is settled. */
  acknowledgedSequence: string;
  /** The settlements, in order. */
  results: SettlementResult[];
  /** The names in `delivered` that are no message that is remembered. */
  unknown: string[];
}

export interface SettlementResult {
  /** `Settlement.sequence` */
  sequence: string;
  /**
   * Empty: done. ALREADY_SETTLED: it is acknowledged, which stays. UNKNOWN_SEQUENCE: the stream is not that long.
   * OVERLOADED, UNAVAILABLE: temporary; do not acknowledge it, settle it again.
   */
  reason: string;
  /** True: not done for a temporary reason; settle it again before it is acknowledged. */
  retry: boolean;
}

export interface AckWireRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** `OutboundWire.sequence` of the last one that the network has; everything before it is acknowledged as well. */
  sequence: string;
}

export interface AckWireResponse {
}

export interface StreamEventsRequest {
  /** Begins the delivery of an endpoint's events. */
  open?: OpenStream;
  /** Acknowledges events. */
  ack?: Ack;
  message?: 'open' | 'ack';
}

/** Starts delivery of an endpoint's stream at a cursor. */
export interface OpenStream {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /**
   * The cursor: delivery begins after this sequence. Unset: after the last acknowledged one. Acknowledged events are deleted;
   * a sequence beyond the end of the stream fails with OUT_OF_RANGE and reason CURSOR_BEYOND_END.
   */
  afterSequence?: string;
}

/**
 * Cumulative acknowledgement: everything up to and including `sequence` has been processed. A lower sequence than an earlier
 * one has no effect.
 */
export interface Ack {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** `Event.sequence` or `OutboundWire.sequence` of the last one that was processed. */
  sequence: string;
}

export interface StreamEventsResponse {
  /** An event. */
  event?: Event;
  /** All events that were stored when the stream was opened have been delivered; later ones are new. */
  caughtUp?: CaughtUp;
  /** Nothing else was sent for 15 seconds. */
  keepAlive?: KeepAlive;
  /** The server is about to close the stream: reconnect, to another node if there is one. */
  draining?: Draining;
  message?: 'event' | 'caughtUp' | 'keepAlive' | 'draining';
}

export interface CaughtUp {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** The last one that was stored when the stream was opened; 0 of a subscription. */
  sequence: string;
}

/** Sent when nothing else was sent for 15 seconds. A client that receives nothing for a minute should reconnect. */
export interface KeepAlive {
}

export interface Draining {
}

export interface Event {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /**
   * Its place in the endpoint's stream, from 1 without gaps: what a bot acknowledges, and by which it recognises an event that comes
   * again.
   */
  sequence: string;
  /** When Relay processed what caused it. */
  time: Timestamp | null;
  /**
   * `endpoints/{endpoint}/conversations/{conversation}`. Empty, like `peer`, only in the notice that a stored event was damaged
   * and is lost.
   */
  conversation: string;
  /** The peer's address. */
  peer: string;
  /** The peer has written something. */
  textReceived?: TextReceived;
  /** A private session was established, or has ended. */
  sessionChanged?: SessionChanged;
  /** A message that was held for the key exchange was not sent. */
  messageDropped?: MessageDropped;
  /** An inbound message could not be read, or the peer reported an error. */
  notice?: Notice;
  /** A verification waits for an answer of ours, or has ended. */
  verificationChanged?: VerificationChanged;
  /** The trust in a key of the peer has changed, or somebody has accepted or refused it. */
  identityChanged?: IdentityChanged;
  /** The network refused a message, or the peer's program confirmed it. */
  messageChanged?: MessageChanged;
  /** The peer offers a file, or all of it has come. */
  fileChanged?: FileChanged;
  /**
   * Of an event that a subscription delivers, as the two that follow: `endpoints/{endpoint}/subscriptions/{subscription}`. `sequence` is
   * then its place in the subscription.
   */
  subscription: string;
  /** What AckSubscription and NackSubscription take; opaque. */
  cursor: string;
  /** 1 for the first delivery, 2 for the second, … */
  delivery: number;
  event?: 'textReceived' | 'sessionChanged' | 'messageDropped' | 'notice' | 'verificationChanged' | 'identityChanged' | 'messageChanged' | 'fileChanged';
}

export interface TextReceived {
  /**
   * Plain text, as the peer's user wrote it as far as that can be told: a text received in a private session that is HTML
   * (`Endpoint.text_format`) is given without its tags, with line ends for line breaks, with addresses behind links, and with the
   * characters that are escaped in HTML. Every other text is as the peer sent it. Invalid UTF-8 is replaced by U+FFFD. Either may contain
   * anything: control characters, U+0000 and ESC among them, characters that reorder text, and what looks like HTML. Clean it before it is
   * shown, and never take it for HTML.
   */
  text: string;
  /** True only if the text was received in a private session. */
  encrypted: boolean;
  /** The sender's key, if encrypted: 40 lowercase hex digits. */
  peerFingerprint: string;
  /** True if the text was unencrypted although a private session is established or the policy requires encryption. */
  unexpectedlyClear: boolean;
  /** The sender's key was verified when the text arrived. */
  peerVerified: boolean;
  /** When the message was sent, as the network says; unset if it does not say. Nothing authenticates it. */
  networkTime: Timestamp | null;
  /**
   * The sender's key was held when the text arrived (`Identity.standing`): it may be somebody else's than before. Do nothing for the text
   * that you would not do for a stranger; replies wait until somebody has decided about the key.
   */
  keyHeld: boolean;
}

/** What became of a message since it was sent: UNDELIVERABLE, once at most, or DELIVERED. There is none for CARRIED. */
export interface MessageChanged {
  /** The message as it is now. */
  message: Message | null;
}

export interface VerificationChanged {
  /** The verification as it is now. */
  verification: Verification | null;
}

export interface IdentityChanged {
  /** The key as it is now. */
  identity: Identity | null;
}

export interface SessionChanged {
  /** The session as it is now, or was before it ended. */
  session: Session | null;
  /** What has happened to it. */
  cause: SessionChanged_Cause;
  /** The peer's key had not been seen before in this conversation. */
  fingerprintIsNew: boolean;
  /** The session replaced one with a different key: treat the peer as a stranger until it is verified. */
  fingerprintChanged: boolean;
}

export type SessionChanged_Cause =
  | 'CAUSE_UNSPECIFIED'
  | 'KEY_EXCHANGE'
  | 'ENDED_BY_PEER'
  | 'ENDED_BY_US'
  | 'EXPIRED'
  | 'MADE_ROOM';

export interface MessageDropped {
  /** The id of the request that sent the message. */
  requestId: string;
  /**
   * EXPIRED: no private session was established in time. FINGERPRINT_CHANGED: one was, with another key than the last. NOT_TRUSTED: one
   * was, with a key that the endpoint's policy wants verified first. KEY_REFUSED: it waited for a key that was refused (RefuseIdentity).
   * NOT_SENT: anything else, such as the end of the conversation.
   */
  reason: string;
  /** The name of the message. */
  message: string;
}

export interface Notice {
  /**
   * Stable, machine-readable: UNREADABLE, MALFORMED, TOO_LARGE, OTHER_INSTANCE, KEY_CHANGED (an exchange with another key, or one
   * that somebody has refused, was not taken),
   * NO_ROOM (a key exchange found all of the conversation's sessions in use),
   * FILE_NOT_OFFERED (the peer has offered a file that is too large or has an invalid name, or the offer cannot be read),
   * RATE_LIMITED (the peer started more key exchanges or SMP runs than are answered), PEER_ERROR, …
   */
  code: string;
  /** Written by the peer if `code` is PEER_ERROR: untrusted; must not be interpreted as markup. */
  text: string;
}

export interface WatchEventsRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** As in OpenStream. For server-sent events the header Last-Event-ID takes its place. */
  afterSequence?: string;
}

export interface PullEventsRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** As in OpenStream. */
  afterSequence?: string;
  /** 0 means 100; at most 1000. */
  maxEvents: number;
  /** Long poll: if there is nothing yet, the time to wait for the first item; at most 60 seconds. */
  wait: Duration | null;
}

export interface PullEventsResponse {
  /** In order of sequence. */
  events: Event[];
  /** The last sequence of the stream: there are more events while the last returned event's sequence is lower. */
  lastSequence: string;
}

export interface AckEventsRequest {
  /** `endpoints/{endpoint}` */
  endpoint: string;
  /** `Event.sequence` of the last one that was processed; everything before it is acknowledged as well. */
  sequence: string;
}

export interface AckEventsResponse {
}

/** The protocol's message states. */
export type MessageState =
  | 'MESSAGE_STATE_UNSPECIFIED'
  | 'PLAINTEXT'
  | 'ENCRYPTED'
  | 'FINISHED';

export interface Conversation {
  /** `endpoints/{endpoint}/conversations/{conversation}`. The id is a keyed hash of the peer's address. */
  name: string;
  /** The peer's address on the endpoint's network. */
  peer: string;
  /** The state of the best session; unspecified if the conversation is quarantined. */
  state: MessageState;
  /** One per peer instance; empty before the first key exchange. */
  sessions: Session[];
  /** When anything of it changed last: a message, a session, a label. */
  updateTime: Timestamp | null;
  /**
   * True if the stored conversation cannot be decrypted, because it was damaged or tampered with. Its content, including the
   * peer, is not known, and every request fails with CONVERSATION_QUARANTINED until an operator restores its row.
   */
  quarantined: boolean;
  /**
   * What bots and people have written on it: at most 16, keys of 1 to 63 characters of [a-z0-9_.-] that begin with a letter, values of at
   * most 128 bytes without control characters.
   */
  labels: string;
  /** Changes with the labels. An update that carries it is refused if somebody else has changed them since. */
  etag: string;
  /** Of the key of the best session; without a session, VERIFIED if any key of the peer is. Unspecified if no key of the peer is known. */
  trust: Trust;
  /** The best session's key took another's place, and nobody has decided about it: text to the peer is held (`Policy.key_change`). */
  keyHeld: boolean;
  /** Messages that wait for a session, or for a decision about the peer's key. */
  heldMessages: number;
  /** Unset if only the peer's keys are left of it, because the database was restored. */
  createTime: Timestamp | null;
  /** It has a secret of its own to answer the peer's verifications with (SetAnswerSecret). */
  hasAnswerSecret: boolean;
}

export interface Session {
  /** ENCRYPTED, or FINISHED after the peer has ended it. */
  state: MessageState;
  /** 2 or 3. */
  protocolVersion: number;
  /** 0 in version 2. */
  peerInstanceTag: number;
  /** 40 lowercase hex digits. */
  peerFingerprint: string;
  /**
   * Secure session id, 8 bytes. Shown to people as two words of four bytes in hex; each side reads its bold one to
   * the other, and both compare.
   */
  ssid: Buffer;
  /** True: our side reads the first word aloud; false: the second one. */
  ssidFirstHalfBold: boolean;
  /** The peer's key is verified (see IdentityService). */
  peerVerified: boolean;
  /** The peer's key is held: text to it waits until somebody has decided about it (see IdentityService). */
  keyHeld: boolean;
}

export interface GetConversationRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  name: string;
}

export interface ResolveConversationRequest {
  /** `endpoints/{endpoint}` */
  parent: string;
  /** The peer's address, 1 to 3071 bytes of UTF-8 without control characters. */
  peer: string;
}

export interface ListConversationsRequest {
  /** `endpoints/{endpoint}` */
  parent: string;
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
  /**
   * Comparisons joined by AND: `state = ENCRYPTED AND trust = VERIFIED AND labels.team = "sales"`. `=` is equal, `:` contains; fields are
   * `state`, `trust`, `peer`, `key_held`, `quarantined`, `has_answer_secret` and `labels.KEY`. At most 512 characters.
   */
  filter: string;
  /**
   * `name` (the default), `peer`, `create_time` or `update_time`, with ` desc` after it for the opposite order; equal ones are in order of
   * name. Other orders than that of `name` are refused with FAILED_PRECONDITION, reason TOO_MANY_TO_SORT, where more than 10,000
   * conversations would have to be looked at.
   */
  orderBy: string;
}

export interface ListConversationsResponse {
  /** With a filter there may be fewer than asked for, or none, although there is a next page. */
  conversations: Conversation[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface UpdateConversationRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /** Its name, the labels that the mask names, and the etag if somebody else's change must not be overwritten. */
  conversation: Conversation | null;
  /**
   * `labels` for all of them: those that the request does not have are removed. `labels.KEY` for one, which is removed if the request does
   * not have it.
   */
  updateMask: FieldMask | null;
}

export interface DeleteConversationRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry changes nothing more, also if the conversation has begun anew. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  name: string;
}

export interface DeleteConversationResponse {
}

export interface StartSessionRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /**
   * `endpoints/{endpoint}/conversations/{conversation}`; or `endpoints/{endpoint}`, and `peer` says with whom: the first request creates
   * the conversation.
   */
  parent: string;
  /** The peer's address, 1 to 3071 bytes of UTF-8 without control characters. */
  peer: string;
}

export interface StartSessionResponse {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  conversation: string;
}

export interface EndSessionRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /**
   * `endpoints/{endpoint}/conversations/{conversation}`; or `endpoints/{endpoint}`, and `peer` says with whom: the first request creates
   * the conversation.
   */
  parent: string;
  /** The peer's address, 1 to 3071 bytes of UTF-8 without control characters. */
  peer: string;
}

export interface EndSessionResponse {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  conversation: string;
  /** The conversation's state afterwards. */
  state: MessageState;
}

/** How far a key is trusted. The key of a new peer is UNVERIFIED: anybody may have it. */
export type Trust =
  | 'TRUST_UNSPECIFIED'
  | 'TRUST_UNVERIFIED'
  | 'TRUST_VERIFIED';

export interface Identity {
  /** `endpoints/{endpoint}/conversations/{conversation}/identities/{fingerprint}` */
  name: string;
  /** 40 lowercase hex digits: SHA-1 of the DSA public key. */
  fingerprint: string;
  /** How far the key is trusted. */
  trust: Trust;
  /**
   * How the key came to be trusted: "smp", "verified" (somebody compared the fingerprint), or the word that another client's file had.
   * Empty while it is not trusted.
   */
  trustSource: string;
  /** Free text, at most 512 bytes. */
  note: string;
  /** The first key exchange that showed it; unset if the key was set by UpdateIdentity only. */
  firstSeenTime: Timestamp | null;
  /** The latest key exchange that showed it; unset if the key was set by UpdateIdentity only. */
  lastSeenTime: Timestamp | null;
  /** When it came to be trusted; unset while it is not. */
  verifyTime: Timestamp | null;
  /** Whether the key is taken for the peer's. */
  standing: Identity_Standing;
}

/** Whether the key is taken for the peer's. */
export type Identity_Standing =
  | 'STANDING_UNSPECIFIED'
  | 'ACCEPTED'
  | 'HELD'
  | 'REFUSED';

export interface ListIdentitiesRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  parent: string;
}

export interface ListIdentitiesResponse {
  /** At most 16. */
  identities: Identity[];
}

export interface GetIdentityRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}/identities/{fingerprint}` */
  name: string;
}

export interface UpdateIdentityRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation. */
  requestId: string;
  /** Its name, and the fields that the mask names. */
  identity: Identity | null;
  /** `trust`, `note`. Empty: both. */
  updateMask: FieldMask | null;
  /** True: a key that the peer has not shown yet is added, for example from a business card. Needs `trust`. */
  allowMissing: boolean;
}

export interface AcceptIdentityRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}/identities/{fingerprint}` */
  name: string;
}

export interface RefuseIdentityRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}/identities/{fingerprint}` */
  name: string;
}

export interface ImportIdentitiesRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the endpoint's conversations: a retry with the same content changes nothing. */
  requestId: string;
  /** `endpoints/{endpoint}` */
  parent: string;
  /** At most 1,000 peers. */
  peers: PeerIdentities[];
}

/** What is known of one peer's keys. */
export interface PeerIdentities {
  /** Address of the peer on the endpoint's network; each once in a request. */
  peer: string;
  /** 1 to 16, each once. */
  identities: KnownIdentity[];
}

/** A key as another program knows it. */
export interface KnownIdentity {
  /** 40 hex digits. */
  fingerprint: string;
  /** The word for how it was verified, at most 64 bytes: "smp", "verified" or another. Empty: it is not trusted. */
  trustSource: string;
  /** Free text, at most 512 bytes. */
  note: string;
}

export interface ImportIdentitiesResponse {
  /** Peers whose keys the endpoint knows by now. */
  peers: number;
  /** Keys of these peers that were in the request. */
  keys: number;
  /** Peers whose conversation could not take them, because its row is damaged. */
  skipped: number;
  /** Keys that were left out, because the endpoint knows as many keys of the peer as it can, 16. */
  withoutRoom: number;
}

/** A file on its way to a peer, or from one. */
export interface FileTransfer {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  conversation: string;
  /** The peer's address. */
  peer: string;
  /** Where it is on its way. */
  state: FileTransfer_State;
  /** The name that the sender has given it: no path, no control characters, none that reorder text. Written by the peer if it was received. */
  fileName: string;
  /** `image/png`; empty if the sender has not said it. Written by the peer if it was received: it need not be true. */
  mediaType: string;
  /** In bytes. */
  size: string;
  /** Bytes that are stored. */
  storedSize: string;
  /** SHA-256 of the file; of one that the bot sends, empty until it is complete. */
  sha256: Buffer;
  /**
   * Where the blob can be fetched; empty if the network brings it. Of a file that was sent: at this server, by whoever has the link. Of a
   * peer's: written by the peer, so fetch it only if its host is one that you trust. The server does not fetch it.
   */
  url: string;
  /** When it was created; of a peer's file, when it was offered. */
  createTime: Timestamp | null;
  /** The file is deleted then. */
  expireTime: Timestamp | null;
  /** Stable and machine-readable, of a file that is UNDELIVERABLE: Settlement.failure. Empty otherwise. */
  reason: string;
}

export type FileTransfer_State =
  | 'STATE_UNSPECIFIED'
  | 'UPLOADING'
  | 'SENT'
  | 'OFFERED'
  | 'RECEIVED'
  | 'DAMAGED'
  | 'UNDELIVERABLE';

/**
 * The peer offers a file (state OFFERED), or all of it has come (RECEIVED or DAMAGED); or one that the bot has sent cannot be brought to the
 * peer (UNDELIVERABLE).
 */
export interface FileChanged {
  /** The file as it is now. */
  file: FileTransfer | null;
}

export interface CreateFileRequest {
  /** Idempotency key, 1 to 128 bytes, unique among the endpoint's files: a retry gets the same file. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}`; or `endpoints/{endpoint}`, and `peer` says to whom. */
  parent: string;
  /** The peer's address, if `parent` is an endpoint. */
  peer: string;
  /** 1 to 255 bytes of UTF-8: no path, no control characters. */
  fileName: string;
  /** At most 127 bytes: type/subtype without parameters; or empty. */
  mediaType: string;
  /** In bytes; at most 67,108,864, or what the operator has set. */
  size: string;
}

export interface GetFileRequest {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
}

export interface ListFilesRequest {
  /** `endpoints/{endpoint}` */
  parent: string;
  /** 0 means 100; at most 1000. A page may have fewer before the last one. */
  pageSize: number;
  /** ListFilesResponse.next_page_token of the page before; empty for the first. */
  pageToken: string;
}

export interface ListFilesResponse {
  /** Those of this page. */
  files: FileTransfer[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface UploadFileRequest {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
  /** Where the portion begins: a multiple of 65,536. */
  offset: string;
  /** 65,536 bytes, or the rest of the file. */
  data: Buffer;
}

export interface CompleteFileRequest {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
  /** Idempotency key, 1 to 128 bytes, unique in the conversation. */
  requestId: string;
  /**
   * What the SHA-256 of the file must be; empty: not compared. If it is another, the call fails with FAILED_PRECONDITION and reason
   * FILE_DIGEST_DIFFERS.
   */
  sha256: Buffer;
}

export interface DownloadFileRequest {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
  /** Where to begin, in bytes. */
  offset: string;
  /** 0 means 131,072, which is also the most. */
  maxBytes: number;
}

export interface DownloadFileResponse {
  /** Empty at the end. */
  data: Buffer;
  /** Of the whole file. */
  size: string;
}

export interface DeleteFileRequest {
  /** `endpoints/{endpoint}/files/{file}` */
  name: string;
}

export interface DeleteFileResponse {
}

export interface DownloadBlobRequest {
  /** OutboundWire.file */
  name: string;
  /** Where to begin, in bytes. */
  offset: string;
  /** 0 means 131,072, which is also the most. */
  maxBytes: number;
}

export interface DownloadBlobResponse {
  /** Empty at the end. */
  data: Buffer;
  /** Of the whole blob. */
  size: string;
}

export interface UploadBlobRequest {
  /** `endpoints/{endpoint}`, with `peer` and `transfer_id`. */
  endpoint: string;
  /** From whom the blob came. */
  peer: string;
  /** Bytes 5 to 20 of the blob, 16 bytes. */
  transferId: Buffer;
  /** Instead of these three: the name of the file, as FileChanged has it. */
  name: string;
  /** Where the part begins. */
  offset: string;
  /** Empty: the response tells how far the blob is. */
  data: Buffer;
}

export interface UploadBlobResponse {
  /** Bytes of the blob that are stored: the next part begins there. */
  storedSize: string;
  /** How many bytes the next part has: 69 first, then 65,552, and at last the rest; 0 if all of it is stored. */
  nextPartSize: number;
  /** Of the whole blob. */
  size: string;
}

/**
 * A message that a bot has sent. Its states: HELD or at once ENCRYPTED (or CLEAR), then CARRIED, and DELIVERED where the peer's program
 * confirms; or instead UNDELIVERABLE, DROPPED or CANCELLED, which are final. What is CARRIED does not become UNDELIVERABLE.
 */
export interface Message {
  /** `endpoints/{endpoint}/conversations/{conversation}/messages/{message}`. The id follows from the request id, by a keyed hash. */
  name: string;
  /** What has become of it. */
  state: Message_State;
  /**
   * Stable and machine-readable, of a message that is UNDELIVERABLE (see Settlement.failure) or DROPPED; KEY_HELD of one that is HELD until
   * somebody has decided about the peer's key. Empty otherwise.
   */
  reason: string;
  /** When it was accepted. */
  createTime: Timestamp | null;
  /** When it came to its state. Of a CARRIED one: when it was encrypted. */
  updateTime: Timestamp | null;
}

export type Message_State =
  | 'STATE_UNSPECIFIED'
  | 'HELD'
  | 'ENCRYPTED'
  | 'CLEAR'
  | 'CARRIED'
  | 'DELIVERED'
  | 'UNDELIVERABLE'
  | 'DROPPED'
  | 'CANCELLED';

export interface SendMessageRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /**
   * `endpoints/{endpoint}/conversations/{conversation}`; or `endpoints/{endpoint}`, and `peer` says with whom: the first request creates
   * the conversation.
   */
  parent: string;
  /** The peer's address, 1 to 3071 bytes of UTF-8 without control characters. */
  peer: string;
  /**
   * 1 to 65,000 bytes of UTF-8 without U+0000. Plain text: for a peer that reads HTML (`Endpoint.text_format`) it is escaped, and may then
   * have no more than that either.
   */
  text: string;
  /**
   * Respond only when it is known what became of the message, at the latest after this time (at most 60 seconds) with the last known state.
   * Unset or zero: at once.
   */
  wait: Duration | null;
}

export interface SendMessageResponse {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  conversation: string;
  /** What was done at first; a retry gets the same. */
  disposition: SendMessageResponse_Disposition;
  /** The message as it was accepted; with `wait`, as it is now. */
  message: Message | null;
}

export type SendMessageResponse_Disposition =
  | 'DISPOSITION_UNSPECIFIED'
  | 'ENCRYPTED'
  | 'CLEAR'
  | 'HELD';

export interface GetMessageRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}/messages/{message}` */
  name: string;
}

export interface ListMessagesRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  parent: string;
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
  /** `state = HELD`, or several joined by OR: `state = UNDELIVERABLE OR state = DROPPED`. Empty: all. */
  filter: string;
}

export interface ListMessagesResponse {
  /** The latest first. */
  messages: Message[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface CancelMessageRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}/messages/{message}` */
  name: string;
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
}

export interface Verification {
  /** `endpoints/{endpoint}/conversations/{conversation}/verifications/{verification}` */
  name: string;
  /** How far it is. */
  state: Verification_State;
  /**
   * For FAILED and CANCELLED: SECRETS_DIFFER, INVALID_PROOF, PROTOCOL_ERROR, DECLINED_BY_PEER, DECLINED_BY_US, REPLACED (another run took
   * its place), SESSION_ENDED, TOO_MANY_ATTEMPTS (it would have been answered automatically, but too often in one day).
   */
  reason: string;
  /** The peer asked first. */
  begunByPeer: boolean;
  /** While it is open. The peer's question is untrusted text. */
  question: string;
  /** The key that is verified: `…/identities/{fingerprint}`. */
  identity: string;
  /**
   * SUCCEEDED because the peer's question was answered rightly: that proves our knowledge to the peer, not the peer's to us, and the key
   * is not trusted for it. Begin a verification of your own.
   */
  oneWay: boolean;
  /** When it began. */
  createTime: Timestamp | null;
  /** When it came to its state. */
  updateTime: Timestamp | null;
  /** When an open verification is given up. */
  expireTime: Timestamp | null;
  /** The peer began it, and a stored secret answered it (SetAnswerSecret); it never waited for an answer of the bot. */
  automatic: boolean;
}

export type Verification_State =
  | 'STATE_UNSPECIFIED'
  | 'WAITING_FOR_PEER'
  | 'WAITING_FOR_ANSWER'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'EXPIRED';

export interface CreateVerificationRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  parent: string;
  /** 1 to 4096 bytes of UTF-8. Clients compare it byte by byte: agree on case and blanks. */
  secret: string;
  /** What the peer is asked; at most 4096 bytes. Empty: the peer is asked for the secret itself. */
  question: string;
}

export interface GetVerificationRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}/verifications/{verification}` */
  name: string;
}

export interface ListVerificationsRequest {
  /** `endpoints/{endpoint}/conversations/{conversation}` */
  parent: string;
}

export interface ListVerificationsResponse {
  /** The oldest first. */
  verifications: Verification[];
}

export interface AnswerVerificationRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}/verifications/{verification}` */
  name: string;
  /** 1 to 4096 bytes of UTF-8. A retry with the same request id gets the first answer, whatever secret it carries. */
  secret: string;
}

export interface CancelVerificationRequest {
  /** Idempotency key, 1 to 128 bytes, unique in the conversation: a retry gets the first response and has no further effect. */
  requestId: string;
  /** `endpoints/{endpoint}/conversations/{conversation}/verifications/{verification}` */
  name: string;
}

export interface SetAnswerSecretRequest {
  /**
   * Idempotency key, 1 to 128 bytes, unique in the conversation: a retry has no further effect, whatever secret it carries. A retry for an
   * endpoint's own secret sets it again.
   */
  requestId: string;
  /**
   * `endpoints/{endpoint}/conversations/{conversation}`; or `endpoints/{endpoint}`: if `peer` is empty, the secret is the endpoint's own,
   * else the peer's, and the first request creates the conversation.
   */
  parent: string;
  /** The peer's address, at most 3071 bytes of UTF-8 without control characters. */
  peer: string;
  /** 1 to 256 bytes of UTF-8. */
  secret: string;
}

export interface SetAnswerSecretResponse {
  /** The peer's conversation; empty for an endpoint's own secret. */
  conversation: string;
}

export interface ClearAnswerSecretRequest {
  /** As in SetAnswerSecretRequest. */
  requestId: string;
  /** As in SetAnswerSecretRequest. */
  parent: string;
  /** As in SetAnswerSecretRequest. */
  peer: string;
}

export interface ClearAnswerSecretResponse {
  /** The peer's conversation; empty for an endpoint's own secret. */
  conversation: string;
}

export interface Endpoint {
  /** `endpoints/{endpoint}`. The server generates the id unless the creator chose one. */
  name: string;
  /** The chat network as the bridge names it, 1 to 63 bytes: "xmpp", "irc", … */
  network: string;
  /** The endpoint's address on that network. */
  account: string;
  /** What it accepts and sends. */
  policy: Policy | null;
  /** SHA-1 of the DSA public key: 40 lowercase hex digits. */
  fingerprint: string;
  /** OTR version 3 instance tag, at least 0x100. */
  instanceTag: number;
  /**
   * The longest wire text that the network accepts, in bytes; longer ones are fragmented. 0: no limit.
   * 0, or at least 140 and at most 131,072.
   */
  maxWireBytes: number;
  /** When it was created. */
  createTime: Timestamp | null;
  /** When its settings or its key changed last. */
  updateTime: Timestamp | null;
  /** Changes with every update. An update that carries it is refused if somebody else has changed the endpoint since. */
  etag: string;
  /** For people, at most 100 characters. */
  displayName: string;
  /** The network's messages are lines, as IRC's are: text in the clear leaves as one message for each line. */
  singleLine: boolean;
  /**
   * The text after an OTR query, for people whose client has no OTR, in their language: at most 512 bytes in one line, without markup.
   * Unset: an English default. Empty: none.
   */
  queryText?: string;
  /** Plaintexts are padded to a multiple of this many bytes, so that their length tells less: 0 (none) to 4096. */
  paddingBlock: number;
  /** Idle time after which a private session is ended and wiped: one minute to 365 days, or zero for never. Unset: 14 days. */
  sessionIdleLife: Duration | null;
  /** Time to answer a verification that a peer began: at most one hour; zero declines at once. Unset: two minutes. */
  verificationAnswerTime: Duration | null;
  /** How texts in private sessions are written. */
  textFormat: Endpoint_TextFormat;
  /**
   * Events go to the endpoint's subscriptions only, and not to its own event stream, which nobody reads: unread events fill it, and a full
   * stream makes the endpoint refuse messages.
   */
  disableEventStream: boolean;
  /** The end of an endpoint that was created with a life; then it answers nothing more, and is purged. */
  expireTime: Timestamp | null;
  /** Set if it is deleted. */
  deleteTime: Timestamp | null;
  /** The time at which its keys and all that belongs to it are destroyed: within seconds after it. */
  purgeTime: Timestamp | null;
  /** Keys that it had before, the latest first; at most ten. */
  formerIdentities: FormerIdentity[];
  /** It has a secret to answer verifications with (SetAnswerSecret). */
  hasAnswerSecret: boolean;
}

/**
 * The form of texts in private sessions, where Pidgin, Adium and others write and read HTML. Bots read and write plain text whatever
 * it is. Text in the clear always leaves and arrives as it is.
 */
export type Endpoint_TextFormat =
  | 'TEXT_FORMAT_UNSPECIFIED'
  | 'AUTO'
  | 'PLAIN'
  | 'HTML';

/** A key that an endpoint had before RotateIdentity. */
export interface FormerIdentity {
  /** 40 lowercase hex digits. */
  fingerprint: string;
  /** When another key took its place. */
  retireTime: Timestamp | null;
}

/** An endpoint as it is now: what is stored in its two streams and not acknowledged, its bridge, and what somebody should look at. */
export interface EndpointStatus {
  /** `endpoints/{endpoint}/status` */
  name: string;
  /** For the bot. */
  events: StreamStatus | null;
  /** For the bridge. */
  wire: StreamStatus | null;
  /**
   * Since when a bridge has the stream of wire text open, at whichever node; unset if none has. One that pulls is not told. A bridge
   * whose node was killed may be told until it connects again.
   */
  bridgeConnectTime: Timestamp | null;
  /** Set if the request asks for it. */
  conversations: ConversationCounts | null;
}

/** What was counted in the conversations of an endpoint. */
export interface ConversationCounts {
  /** How many conversations were looked at, in order of name: all of them, but at most 10,000. */
  counted: number;
  /** There are more than were looked at. */
  hasMore: boolean;
  /** Those with a private session. */
  encrypted: number;
  /** Messages that wait for a session or for a decision about a key, in all of them. */
  heldMessages: string;
  /** Those whose peer shows another key than before, about which nobody has decided (`Policy.key_change`). */
  keysHeld: number;
  /** Those that cannot be decrypted (Conversation.quarantined). */
  quarantined: number;
}

export interface StreamStatus {
  /** Items that are not acknowledged. */
  backlog: string;
  /** The age of the oldest of them; unset if there is none. One that grows means that nobody reads, or that the reader is stuck. */
  oldestAge: Duration | null;
}

/** The OTR policy of an endpoint. The defaults suit bots: version 3 only, encryption required, nothing sent unasked. */
export interface Policy {
  /** Version 2 of OTR too, which has no instance tags: a peer with several programs confuses it. */
  allowV2: boolean;
  /** Unset means true. */
  allowV3?: boolean;
  /** Unset means true: text is sent only in a private session, and text received outside one is reported as unexpectedly clear. */
  requireEncryption?: boolean;
  /** Offer a session by invisible blanks behind text in the clear, which programs with OTR notice. */
  sendWhitespaceTag: boolean;
  /** Begin a session when a peer offers one so. */
  startOnWhitespaceTag: boolean;
  /** Begin a session anew when the peer's program reports an error. */
  startOnError: boolean;
  /** What happens when a peer shows another key than before. */
  keyChange: Policy_KeyChange;
  /** Whether text goes to verified keys only. */
  requireVerified: Policy_RequireVerified;
  /**
   * Offers of a private session are not answered that come unasked from a peer with whom there was none: an answer tells a stranger that
   * somebody is there.
   */
  ignoreStrangers: boolean;
}

/** What happens when a peer shows another key than before. */
export type Policy_KeyChange =
  | 'KEY_CHANGE_UNSPECIFIED'
  | 'REPORT'
  | 'REFUSE'
  | 'HOLD';

/** Whether text goes to verified keys only; otherwise a send fails with FAILED_PRECONDITION and reason NOT_TRUSTED. */
export type Policy_RequireVerified =
  | 'REQUIRE_VERIFIED_UNSPECIFIED'
  | 'NEVER'
  | 'ONCE_VERIFIED'
  | 'ALWAYS';

export interface CreateEndpointRequest {
  /** Idempotency key, 1 to 128 bytes, such as a UUID: a retry gets the first response. */
  requestId: string;
  /**
   * 1 to 63 characters of [a-z0-9-], beginning with a letter. Empty: the server generates an id. The beginning of one, at most 47
   * characters, followed by an asterisk: the server generates the rest, and the id matches a key's pattern of the same beginning.
   */
  endpointId: string;
  /** 1 to 63 bytes. */
  network: string;
  /** 1 to 1023 bytes. Empty with `burner_domain`. */
  account: string;
  /** Unset: version 3 only, encryption required. */
  policy: Policy | null;
  /** 0, or at least 140 and at most 131,072. */
  maxWireBytes: number;
  /** A key of one's own. */
  dsa?: DsaKey;
  /**
   * The content of a libotr `otr.private_key` file, or of the key file of another program that holds a DSA key: of one account, or
   * of several, of which one has the address `account`.
   */
  libotrPrivateKey?: Buffer;
  /**
   * The time that the endpoint lives: one minute to 365 days. Then it is purged, and its keys are destroyed. Unset: it has no end. It cannot
   * be changed later.
   */
  life: Duration | null;
  /**
   * Instead of `account`, with a `life`: a burner. The server makes an address that nobody can guess: 26 characters of [a-z2-7], which carry
   * 128 random bits, an @ and this domain, which is that of the bridge. It is in the answer's `account`; a retry gets the same one.
   */
  burnerDomain: string;
  key?: 'dsa' | 'libotrPrivateKey';
}

/** A DSA private key with a 160-bit q. All numbers are unsigned and big-endian. */
export interface DsaKey {
  /** The prime modulus, 1024 to 3072 bits. */
  p: Buffer;
  /** The prime order of the group, 160 bits. */
  q: Buffer;
  /** The generator. */
  g: Buffer;
  /** The public key, g^x mod p. */
  y: Buffer;
  /** The private key. */
  x: Buffer;
}

export interface UpdateEndpointRequest {
  /** Its name, the fields that the mask names, and the etag if somebody else's change must not be overwritten. */
  endpoint: Endpoint | null;
  /**
   * Required: `display_name`, `policy` or a field of it (`policy.key_change`), `max_wire_bytes`, `single_line`, `query_text`,
   * `padding_block`, `session_idle_life`, `verification_answer_time`, `text_format`, `disable_event_stream`.
   */
  updateMask: FieldMask | null;
}

export interface DeleteEndpointRequest {
  /** `endpoints/{endpoint}` */
  name: string;
  /** Not unless this is its etag. Empty: whatever it is. */
  etag: string;
  /** Destroy its keys and all that belongs to it within seconds instead of 30 days. This cannot be undone. */
  purge: boolean;
}

export interface UndeleteEndpointRequest {
  /** `endpoints/{endpoint}` */
  name: string;
  /** Not unless this is its etag. Empty: whatever it is. */
  etag: string;
}

export interface GetEndpointStatusRequest {
  /** `endpoints/{endpoint}/status` */
  name: string;
  /** Count the conversations as well. That reads each of them, so it takes as long as listing them does. */
  countConversations: boolean;
}

export interface GetEndpointRequest {
  /** `endpoints/{endpoint}` */
  name: string;
}

export interface ListEndpointsRequest {
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
  /**
   * Comparisons joined by AND: `network = "irc" AND account : "bot"`. `=` is equal, `:` contains; fields are `network`, `account` and
   * `display_name`. At most 512 characters.
   */
  filter: string;
  /** Also those that are deleted and not yet purged. */
  showDeleted: boolean;
  /**
   * `name` (the default), `account`, `display_name`, `create_time` or `update_time`, with ` desc` after it for the opposite order; equal
   * ones are in order of name. Other orders than that of `name` are refused with FAILED_PRECONDITION, reason TOO_MANY_TO_SORT, where more than
   * 10,000 endpoints would have to be looked at.
   */
  orderBy: string;
}

export interface ListEndpointsResponse {
  /** With a filter there may be fewer than asked for, or none, although there is a next page. */
  endpoints: Endpoint[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface RotateIdentityRequest {
  /** Idempotency key, 1 to 128 bytes, such as a UUID: a retry of the latest rotation changes nothing. */
  requestId: string;
  /** `endpoints/{endpoint}` */
  name: string;
  /** Not unless this is its etag. Empty: whatever it is. */
  etag: string;
}

export interface ExportIdentityRequest {
  /** `endpoints/{endpoint}` */
  name: string;
  /** Whoever knows it: 8 to 1024 bytes of UTF-8. Argon2id makes it slow to guess, not impossible: take a long one. */
  passphrase?: string;
  /** Whoever has the private half of this X25519 key, 32 bytes. */
  publicKey?: Buffer;
  /** Empty: the first part, which has the identity key. Further parts need the same seal. */
  pageToken: string;
  seal?: 'passphrase' | 'publicKey';
}

export interface ExportIdentityResponse {
  /** The part, in the format of docs/identity-archives.md: at most 170,000 bytes. */
  content: Buffer;
  /** Empty after the last part. */
  nextPageToken: string;
  /** Peers in this part. */
  peers: number;
  /** Conversations that are left out, because their rows are damaged. */
  quarantined: number;
}

export interface ImportIdentityRequest {
  /** Idempotency key, 1 to 128 bytes: a retry of the part with the same id changes nothing more. Each part has its own. */
  requestId: string;
  /**
   * The endpoint that learns the keys of its peers: `endpoints/{endpoint}`, of the network of the export. Empty: an endpoint is created
   * with network, account and key of the export, of which this must be the first part, and the default settings.
   */
  name: string;
  /** For the endpoint that is created, as in CreateEndpoint. */
  endpointId: string;
  /** The part. */
  content: Buffer;
  /** The passphrase of the export. */
  passphrase?: string;
  /** The X25519 key, 32 bytes. */
  privateKey?: Buffer;
  seal?: 'passphrase' | 'privateKey';
}

export interface ImportIdentityResponse {
  /** The endpoint as it is now. */
  endpoint: Endpoint | null;
  /** Peers whose keys the endpoint knows by now. */
  peers: number;
  /** Keys of these peers that were in the part. */
  keys: number;
  /** Peers whose conversation could not take them, because its row is damaged. */
  skipped: number;
  /** Keys that were left out, because the endpoint knows as many keys of the peer as it can, 16. */
  withoutRoom: number;
  /** The export that the part is of, 32 hex digits. Parts of one export are complete if they have one id, and each number up to the last. */
  exportId: string;
  /** The number of the part, from 0. */
  part: number;
  /** True for the last part of the export. */
  isLast: boolean;
}

export interface Subscription {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /** The events that it gets. Empty: all, also those of later releases. */
  types: Subscription_EventType[];
  /** The time after which an event that was delivered and not acknowledged is delivered again: one second to one hour. Unset: 30 seconds. */
  ackWait: Duration | null;
  /** The number of deliveries after which an event is a dead letter: 1 to 1000, or 0 for never. Unset: 5. */
  maxDeliveries?: number;
  /** Its events are posted there, by every node that is up, instead of being read. Unset: readers take them. */
  webhook: Webhook | null;
  /** Events that are not acknowledged; output only, as all that follows, and set by GetSubscription only. */
  pending: string;
  /** Of these, the events that a reader has. */
  unacknowledged: number;
  /** Events that were set aside. */
  deadLetters: number;
  /** The age of the oldest event that was read and is not acknowledged; unset if there is none. */
  oldestAge: Duration | null;
  /** Readers that wait for events, or have some. */
  readers: number;
  /** The latest acknowledgement since the subscription came to its present node. */
  lastAckTime: Timestamp | null;
  /** The latest event that was given back, since the subscription came to its present node. */
  lastNackTime: Timestamp | null;
  /** Why it was given back. */
  lastNackNote: string;
}

export type Subscription_EventType =
  | 'EVENT_TYPE_UNSPECIFIED'
  | 'TEXT_RECEIVED'
  | 'SESSION_CHANGED'
  | 'MESSAGE_DROPPED'
  | 'NOTICE'
  | 'VERIFICATION_CHANGED'
  | 'IDENTITY_CHANGED'
  | 'MESSAGE_CHANGED'
  | 'FILE_CHANGED';

/**
 * Each event is posted by itself, as JSON, in order for each conversation, with the headers of Standard Webhooks 1.0: `webhook-id` (the same
 * for every delivery of an event), `webhook-timestamp`, and `webhook-signature`, the HMAC-SHA-256 of `id.timestamp.body`. An answer of 2xx
 * acknowledges it; 410 makes it a dead letter; any other, or none within 15 seconds, gives it back for 2 seconds, 4, 8, … up to ten minutes,
 * or for as long as the answer's `Retry-After` says, until `max_deliveries`.
 */
export interface Webhook {
  /**
   * `https://…`, at most 2048 characters. The address must be public, unless the server's operator allows its network
   * (Relay:Webhooks:AllowedNetworks), where `http://` is allowed too. Redirects are not followed.
   */
  url: string;
  /**
   * `whsec_` and 24 to 64 bytes in base64. Input only, but a secret that the server has made is returned by the call that made it. When it
   * is changed, the former one signs too, until it is changed again.
   */
  secret: string;
}

export interface CreateSubscriptionRequest {
  /** `endpoints/{endpoint}` */
  parent: string;
  /** 1 to 63 characters of [a-z0-9-], beginning with a letter. */
  subscriptionId: string;
  /** Its settings. The name is made of `parent` and `subscription_id`. */
  subscription: Subscription | null;
}

export interface GetSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
}

export interface ListSubscriptionsRequest {
  /** `endpoints/{endpoint}` */
  parent: string;
}

export interface ListSubscriptionsResponse {
  /** In order of creation; at most 16. */
  subscriptions: Subscription[];
}

export interface UpdateSubscriptionRequest {
  /** Its name, and the fields that the mask names. */
  subscription: Subscription | null;
  /**
   * Required: `types`, `ack_wait`, `max_deliveries`, `webhook` (an empty secret keeps the present one), `webhook.secret` (an empty one lets
   * the server make a new one).
   */
  updateMask: FieldMask | null;
}

export interface DeleteSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
}

export interface DeleteSubscriptionResponse {
}

export interface PullSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /** 0 means 100; at most 1000. There may be fewer although more wait. */
  maxEvents: number;
  /** Long poll: if there is nothing yet, the time to wait for the first event; at most 60 seconds. */
  wait: Duration | null;
}

export interface PullSubscriptionResponse {
  /** Each with its cursor, and the number of its delivery. */
  events: Event[];
}

export interface WatchSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
}

export interface WatchSubscriptionResponse {
  /** An event, with its cursor. */
  event?: Event;
  /** There was nothing else to be delivered at that time. */
  caughtUp?: CaughtUp;
  /** Nothing else was sent for 15 seconds. */
  keepAlive?: KeepAlive;
  /** The server is about to close the stream: reconnect, to another node if there is one. */
  draining?: Draining;
  message?: 'event' | 'caughtUp' | 'keepAlive' | 'draining';
}

export interface SubscribeRequest {
  /** First, and once. */
  attach?: AttachReader;
  /** Acknowledges events that were delivered on this stream. */
  ack?: EventAck;
  /** Gives such events back. */
  nack?: EventNack;
  /** Takes the place of the credit that was set before: 0 to 1000. A delivery that is under way may still come. */
  credit?: number;
  message?: 'attach' | 'ack' | 'nack' | 'credit';
}

export interface AttachReader {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /**
   * The number of events that may be unsettled on the stream: 1 to 1000. An event counts until its settlement is confirmed, or `ack_wait`
   * is over.
   */
  credit: number;
}

export interface EventAck {
  /** Cursors of events: 1 to 1000. */
  cursors: string[];
}

/** The fields are those of NackSubscriptionRequest. */
export interface EventNack {
  /** Cursors of events: 1 to 1000. */
  cursors: string[];
  /** The time until they are delivered again: at most one day. Unset: at once. */
  delay: Duration | null;
  /** They become dead letters at once. */
  terminate: boolean;
  /** Why, for people who look at the dead letter: at most 500 characters. */
  note: string;
}

export interface SubscribeResponse {
  /** An event, with its cursor. */
  event?: Event;
  /** There was nothing else to be delivered at that time. */
  caughtUp?: CaughtUp;
  /** Nothing else was sent for 15 seconds. */
  keepAlive?: KeepAlive;
  /** The server is about to close the stream: reconnect, to another node if there is one. */
  draining?: Draining;
  /** Answers acks and nacks. */
  settled?: EventsSettled;
  message?: 'event' | 'caughtUp' | 'keepAlive' | 'draining' | 'settled';
}

/** Answers an ack or a nack; one answer may be for several of them, and one of them may get several answers. */
export interface EventsSettled {
  /** The events that the answer is for. */
  cursors: string[];
  /** Empty: settled durably. EVENT_NOT_HELD: not done, because these were not delivered on this stream, or are settled already. */
  rejectReason: string;
}

export interface AckSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /** Cursors of events: 1 to 1000. */
  cursors: string[];
}

export interface AckSubscriptionResponse {
  /** Of these, the number that had not been acknowledged before. */
  acknowledged: number;
}

export interface NackSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /** Cursors of events: 1 to 1000. */
  cursors: string[];
  /** The time until they are delivered again: at most one day. Unset: at once. */
  delay: Duration | null;
  /** They become dead letters at once. */
  terminate: boolean;
  /** Why, for people who look at the dead letter: at most 500 characters. */
  note: string;
}

export interface NackSubscriptionResponse {
}

export interface SeekSubscriptionRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  name: string;
  /** Events before it are passed over. Unset: all that there are. */
  time: Timestamp | null;
}

export interface SeekSubscriptionResponse {
}

export interface DeadLetter {
  /** The event, with its cursor. */
  event: Event | null;
  /** How often it was delivered. */
  deliveries: number;
  /** The time at which it was set aside. */
  setAsideTime: Timestamp | null;
  /** What the reader said, or what became of its last delivery. */
  note: string;
}

export interface ListDeadLettersRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  parent: string;
  /** 0 means 100; at most 1000. */
  pageSize: number;
  /** `next_page_token` of the page before, with the same other fields. Empty: the first page. */
  pageToken: string;
}

export interface ListDeadLettersResponse {
  /** The oldest first. */
  deadLetters: DeadLetter[];
  /** Empty on the last page. */
  nextPageToken: string;
}

export interface RetryDeadLettersRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  parent: string;
  /** Which ones, by the cursors of their events; at most 1000. Empty: all. */
  cursors: string[];
}

export interface RetryDeadLettersResponse {
  /** How many there were. */
  retried: number;
}

export interface DropDeadLettersRequest {
  /** `endpoints/{endpoint}/subscriptions/{subscription}` */
  parent: string;
  /** Which ones, by the cursors of their events; at most 1000. Empty: all. */
  cursors: string[];
}

export interface DropDeadLettersResponse {
  /** How many there were. */
  dropped: number;
}

/** The unary calls, by the names that RelayClient.call takes. */
export interface Services {
  admin: {
    /** Creates an API key. Only this response contains its secret: the server stores a hash. */
    createApiKey: Call<CreateApiKeyRequest, CreateApiKeyResponse>;
    /** Lists all keys, including revoked and expired ones, without secrets. Scope: keys or monitor. */
    listApiKeys: Call<ListApiKeysRequest, ListApiKeysResponse>;
    /**
     * Gives a key another secret. The present one stays valid for the overlap, so that its holders can be given the new one without an outage.
     * One that was rotated before ends now.
     */
    rotateApiKey: Call<RotateApiKeyRequest, CreateApiKeyResponse>;
    /**
     * Changes what the mask names of a key. The next call is made under the new limits; streams end with the new expiry. A key that is
     * revoked or has expired stays so (KEY_NOT_VALID).
     */
    updateApiKey: Call<UpdateApiKeyRequest, ApiKey>;
    /** Gets who makes the call: scopes, endpoints, expiry, and the limits with what is used of them. Scope: any. */
    getCaller: Call<GetCallerRequest, Caller>;
    /** Revokes a key, and ends the streams that it opened. Revoking a key again has no effect. */
    revokeApiKey: Call<RevokeApiKeyRequest, ApiKey>;
    /** Removes a key that is revoked or has expired from the list. One that is valid is refused (KEY_STILL_VALID): revoke it first. */
    deleteApiKey: Call<DeleteApiKeyRequest, DeleteApiKeyResponse>;
    /** Gets the version, the clock and the state of the server that answers. */
    getServer: Call<GetServerRequest, Server>;
    /** Lists the members of the cluster as the answering node sees them. Empty for a single process. */
    listNodes: Call<ListNodesRequest, ListNodesResponse>;
    /**
     * Lists the entries of the audit log, the oldest first. Each contains the hash of the one before, so that a reader can check that none
     * is changed, missing or moved. Scope: admin or monitor, not limited to endpoints.
     */
    listAuditEntries: Call<ListAuditEntriesRequest, ListAuditEntriesResponse>;
  };
  bridge: {
    /** Delivers one message from the network; the unary alternative to the stream. */
    pushWire: Call<PushWireRequest, PushWireResponse>;
    /** Gets a page of wire text to carry; the unary alternative to the stream. */
    pullWire: Call<PullWireRequest, PullWireResponse>;
    /**
     * Says of single wire texts that the network has them, or why not, and of messages that the peer's program has confirmed them. Also while
     * a stream is open. Settled wire texts are acknowledged as far as none before them is open; the others have to be settled again, or
     * acknowledged, later. A repetition has no further effect.
     */
    settleWire: Call<SettleWireRequest, SettleWireResponse>;
    /** Acknowledges wire text that the network has taken; the unary alternative to the stream. */
    ackWire: Call<AckWireRequest, AckWireResponse>;
  };
  events: {
    /** Gets a page of events; the unary alternative to the stream. */
    pullEvents: Call<PullEventsRequest, PullEventsResponse>;
    /** Acknowledges events, which are then deleted; the unary alternative to the stream. */
    ackEvents: Call<AckEventsRequest, AckEventsResponse>;
  };
  conversations: {
    /** Gets one conversation with its sessions. */
    getConversation: Call<GetConversationRequest, Conversation>;
    /** Lists an endpoint's conversations, in order of name unless `order_by` says otherwise. */
    listConversations: Call<ListConversationsRequest, ListConversationsResponse>;
    /** Finds a conversation by the peer's address. Its name is always the same for the same peer. */
    resolveConversation: Call<ResolveConversationRequest, Conversation>;
    /** Changes the labels that the mask names. */
    updateConversation: Call<UpdateConversationRequest, Conversation>;
    /**
     * Deletes a conversation: private sessions are ended and the peer told, messages that wait are dropped and the bot told (NOT_SENT), and
     * sessions, labels and the secret for answers are destroyed. The peer's keys with their trust are kept for when it comes back; the next
     * message begins the conversation anew, under the same name.
     */
    deleteConversation: Call<DeleteConversationRequest, DeleteConversationResponse>;
    /** Offers the peer a private session (sends an OTR query). */
    startSession: Call<StartSessionRequest, StartSessionResponse>;
    /** Ends the private session and tells the peer. */
    endSession: Call<EndSessionRequest, EndSessionResponse>;
  };
  identities: {
    /** Lists the keys of one peer in the order in which they came to be known; at most 16. */
    listIdentities: Call<ListIdentitiesRequest, ListIdentitiesResponse>;
    /** Gets one key of a peer. */
    getIdentity: Call<GetIdentityRequest, Identity>;
    /** Sets trust and note after somebody has compared the fingerprint over another channel, or takes the trust back. */
    updateIdentity: Call<UpdateIdentityRequest, Identity>;
    /**
     * Takes a key for the peer's, most likely one that is held (`Policy.key_change`): messages that wait for the decision go to it. It is not
     * verified by that, and where the endpoint's policy requires verified keys, text still does not go to it.
     */
    acceptIdentity: Call<AcceptIdentityRequest, Identity>;
    /**
     * Refuses a key: it is not trusted, sessions with it end, messages that were held for it are dropped (KEY_REFUSED), and no key exchange
     * that shows it is taken until it is accepted or verified. What is sent next waits for a session with another key.
     */
    refuseIdentity: Call<RefuseIdentityRequest, Identity>;
    /**
     * Tells an endpoint keys of its peers that another program knows, such as those of an `otr.fingerprints`. Adds keys, notes and trust, and
     * takes no trust away; peers without a conversation get one. If a peer has one key here, or one that is trusted, another key that it shows
     * later is told as a change. Scope: trust.
     */
    importIdentities: Call<ImportIdentitiesRequest, ImportIdentitiesResponse>;
  };
  files: {
    /** Creates a file for a peer. Fails with RESOURCE_EXHAUSTED and reason TOO_MANY_FILES if there is no room. */
    createFile: Call<CreateFileRequest, FileTransfer>;
    /** Gets a file; its content is up to DownloadFile. */
    getFile: Call<GetFileRequest, FileTransfer>;
    /** Lists the files of an endpoint, the sent and the received, in order of name. */
    listFiles: Call<ListFilesRequest, ListFilesResponse>;
    /**
     * Stores the next portion of a file that the bot sends: 65,536 bytes, or the rest. One that is stored already may be repeated; with other
     * data it fails with FAILED_PRECONDITION and reason FILE_DATA_DIFFERS. At another place it fails with FAILED_PRECONDITION and reason
     * FILE_WRONG_OFFSET; GetFile tells where the next portion begins.
     */
    uploadFile: Call<UploadFileRequest, FileTransfer>;
    /**
     * Offers the file to the peer. Fails with FAILED_PRECONDITION and reason ENCRYPTION_REQUIRED if no private session is established, and as
     * SendMessage does if text must not be sent; it can then be completed later, with another request id. A file that is sent stays as it is.
     */
    completeFile: Call<CompleteFileRequest, FileTransfer>;
    /** Reads a file that was received, or one that the bot sends as far as it is uploaded. */
    downloadFile: Call<DownloadFileRequest, DownloadFileResponse>;
    /** Deletes a file with its keys, also one that does not exist. What the peer has got stays with it. */
    deleteFile: Call<DeleteFileRequest, DeleteFileResponse>;
    /** Reads the blob of a file that was sent. Scope: bridge. */
    downloadBlob: Call<DownloadBlobRequest, DownloadBlobResponse>;
    /**
     * Stores the next part of the blob of a file that was offered: as many bytes as the last response says in `next_part_size`. Without data:
     * tells how far it is. A part that does not authenticate is not stored, and fails with INVALID_ARGUMENT and reason BLOB_NOT_AUTHENTIC.
     * Fails with NOT_FOUND until the offer has been received. Scope: bridge, or bot.
     */
    uploadBlob: Call<UploadBlobRequest, UploadBlobResponse>;
  };
  messages: {
    /**
     * Responds once the message is stored durably: encrypted, or held until the key exchange completes. Fails with
     * FAILED_PRECONDITION and reason SESSION_FINISHED, ENCRYPTION_REQUIRED or NOT_TRUSTED if it must not be sent; nothing is sent then.
     */
    sendMessage: Call<SendMessageRequest, SendMessageResponse>;
    /** Gets a message that is remembered. */
    getMessage: Call<GetMessageRequest, Message>;
    /** Lists the messages of a conversation that are remembered, the newest first. */
    listMessages: Call<ListMessagesRequest, ListMessagesResponse>;
    /** Takes back a message that is HELD; it is never sent. Otherwise it fails with FAILED_PRECONDITION and reason MESSAGE_NOT_HELD. */
    cancelMessage: Call<CancelMessageRequest, Message>;
  };
  verifications: {
    /** Begins a verification of the peer's key in the best private session. A run that is open in that session is cancelled. */
    createVerification: Call<CreateVerificationRequest, Verification>;
    /** Gets one verification, open or ended. */
    getVerification: Call<GetVerificationRequest, Verification>;
    /** Lists the open verifications and the latest that have ended, at most eight of those, oldest first. */
    listVerifications: Call<ListVerificationsRequest, ListVerificationsResponse>;
    /** Answers a verification that is WAITING_FOR_ANSWER. */
    answerVerification: Call<AnswerVerificationRequest, Verification>;
    /**
     * Stores a secret by which verifications that peers begin are answered without asking the bot, with or without a question: of one peer,
     * or of the endpoint for all peers without one of their own. It takes the place of one that was set before, and cannot be read again. A peer
     * gets five answers in a day; further requests are declined with TOO_MANY_ATTEMPTS. Peers at many addresses can guess more often: take
     * a long secret for an endpoint.
     */
    setAnswerSecret: Call<SetAnswerSecretRequest, SetAnswerSecretResponse>;
    /** Removes such a secret: the endpoint's answers again, or the bot is asked. */
    clearAnswerSecret: Call<ClearAnswerSecretRequest, ClearAnswerSecretResponse>;
    /** Declines or aborts an open verification, and tells the peer. */
    cancelVerification: Call<CancelVerificationRequest, Verification>;
  };
  endpoints: {
    /** Creates an endpoint and its identity key. Fails with ALREADY_EXISTS if the id, or the account on that network, is in use. */
    createEndpoint: Call<CreateEndpointRequest, Endpoint>;
    /** Gets one endpoint. */
    getEndpoint: Call<GetEndpointRequest, Endpoint>;
    /** Lists the endpoints that the key allows, in order of id unless `order_by` says otherwise; deleted ones only if `show_deleted` says so. */
    listEndpoints: Call<ListEndpointsRequest, ListEndpointsResponse>;
    /** Changes the fields that the mask names. Conversations follow with their next message, on other nodes within a second. */
    updateEndpoint: Call<UpdateEndpointRequest, Endpoint>;
    /**
     * Deletes an endpoint: it answers nothing from then on, and its streams end with ENDPOINT_NOT_FOUND. It can be undeleted until its
     * `purge_time`, 30 days later; then its keys, conversations, identities and messages are destroyed, and its id and account are free.
     * Deleting it again changes nothing, but `purge` hastens the end.
     */
    deleteEndpoint: Call<DeleteEndpointRequest, Endpoint>;
    /** Takes a deleted endpoint back into use, with its keys and its conversations. */
    undeleteEndpoint: Call<UndeleteEndpointRequest, Endpoint>;
    /**
     * Gives an endpoint a new identity key. Its sessions end within seconds, and peers are told; what is sent next waits for a session
     * under the new key, which peers see as a changed key. Peers that had verified the endpoint must do so again.
     */
    rotateIdentity: Call<RotateIdentityRequest, Endpoint>;
    /**
     * Exports the identity key of an endpoint and the keys of its peers with trust and notes, sealed to a passphrase or to a public key;
     * never sessions. A large export has several parts, each a file that ImportIdentity takes.
     */
    exportIdentity: Call<ExportIdentityRequest, ExportIdentityResponse>;
    /**
     * Imports one part of an export: creates an endpoint with its key, or tells an endpoint of the same network its peers' keys. What the
     * endpoint knows itself is kept. The endpoint that was exported should not be used any more.
     */
    importIdentity: Call<ImportIdentityRequest, ImportIdentityResponse>;
    /** Gets what waits to be read, for the bot and for the bridge, and since when a bridge is connected. */
    getEndpointStatus: Call<GetEndpointStatusRequest, EndpointStatus>;
  };
  subscriptions: {
    /**
     * Creates a subscription. It gets the events from then on, on a cluster within a second. Fails with ALREADY_EXISTS if there is one of
     * that name. Scope: bot or admin.
     */
    createSubscription: Call<CreateSubscriptionRequest, Subscription>;
    /** Gets one subscription, with what waits in it. Scope: bot, admin or monitor. */
    getSubscription: Call<GetSubscriptionRequest, Subscription>;
    /** Lists the subscriptions of an endpoint, without what waits in them. Scope: bot, admin or monitor. */
    listSubscriptions: Call<ListSubscriptionsRequest, ListSubscriptionsResponse>;
    /** Changes the fields that the mask names. Scope: bot or admin. */
    updateSubscription: Call<UpdateSubscriptionRequest, Subscription>;
    /** Deletes a subscription, with the events that wait in it and its dead letters. Scope: bot or admin. */
    deleteSubscription: Call<DeleteSubscriptionRequest, DeleteSubscriptionResponse>;
    /** Takes events. Long poll: waits up to `wait` for the first one. */
    pullSubscription: Call<PullSubscriptionRequest, PullSubscriptionResponse>;
    /** Acknowledges events: they are not delivered again. */
    ackSubscription: Call<AckSubscriptionRequest, AckSubscriptionResponse>;
    /** Gives events back: not now, with a delay; or never, and then they become dead letters. */
    nackSubscription: Call<NackSubscriptionRequest, NackSubscriptionResponse>;
    /** Passes over what is older than a time, as if it were acknowledged. What was acknowledged does not come back. Scope: bot or admin. */
    seekSubscription: Call<SeekSubscriptionRequest, SeekSubscriptionResponse>;
    /** Lists the events that were set aside, the oldest first. */
    listDeadLetters: Call<ListDeadLettersRequest, ListDeadLettersResponse>;
    /** Delivers dead letters again, beginning to count anew. Scope: bot or admin. */
    retryDeadLetters: Call<RetryDeadLettersRequest, RetryDeadLettersResponse>;
    /** Deletes dead letters. Scope: bot or admin. */
    dropDeadLetters: Call<DropDeadLettersRequest, DropDeadLettersResponse>;
  };
}
