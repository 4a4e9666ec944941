/// <reference types="node" />
import type { FileHandle } from 'node:fs/promises';
import type { Metadata } from '@grpc/grpc-js';
import type * as v1 from './relay.v1.js';

export type { v1 };

/** An API key, `relay_{id}_{secret}`. Printing one shows the id only. A key is never a command-line argument. */
export class RelayKey {
  /** Parses a key; surrounding white space is ignored. The message of the error does not repeat the text. */
  constructor(text: string);
  static fromFile(path: string): RelayKey;
  /** Reads the key from the file that RELAY_KEY_FILE names, or else from RELAY_KEY. */
  static fromEnvironment(): RelayKey;
  /** The public part of the key, which identifies it in lists. */
  readonly id: string;
}

/** A call or stream failed: the server refused it, or could not be reached. */
export class RelayError extends Error {
  private constructor();
  /** The name of the gRPC status; UNAVAILABLE if no connection could be made, whatever the reason. */
  readonly code: string;
  /** The stable reason; empty if the server gave none. */
  readonly reason: string;
  /** The invalid fields of the request. */
  readonly violations: readonly { field: string; description: string }[];
  /** Milliseconds before the same request may be retried; null if the server gave none. */
  readonly retryAfter: number | null;
  /** True for a transient error: the same request, with the same id, may succeed later. It may also have succeeded already. */
  readonly isPassing: boolean;
  /** True if the conversation's state or the text is the cause, so that a peer may have brought it about. */
  readonly isRefusal: boolean;
}

/**
 * The server's answer to a bot's request: carried out, or refused because of the conversation's state or of the text. Refusals are values
 * because peers cause them, for example by ending a session a moment before the bot replies.
 */
export class Outcome<T> {
  private constructor();
  readonly isAccepted: boolean;
  /** Why nothing was done; null if the request was carried out. */
  readonly refusal: RelayError | null;
  /** The response of a request that must have been carried out. Throws the refusal otherwise. */
  readonly response: T;
}

/** Settings of a client. Times are in milliseconds. */
export interface RelayClientOptions {
  /**
   * `https://host:port`, or `http://` on loopback; several as a list, or separated by commas. By default those that RELAY_SERVER names, or
   * else a server on this machine.
   */
  servers?: string | readonly string[];
  /** By default that of `keyFile`, or of RELAY_KEY_FILE or RELAY_KEY. */
  key?: RelayKey | string;
  keyFile?: string;
  /** PEM file of the only certificate authorities to trust for the server's certificate; by default those of RELAY_CA, or of Node.js. */
  trustedCertificateFile?: string | null;
  /** The wait before the first retry; it doubles up to `maxBackoff`, with jitter. */
  firstBackoff?: number;
  maxBackoff?: number;
  /** Time after which a call with transient errors is no longer retried. Streams reconnect without a limit. */
  giveUpAfter?: number;
  /** Timeout of one attempt of a call. */
  attemptTimeout?: number;
  /** Time without a message after which a stream is considered dead; the server sends one at least every 15 seconds. */
  silenceLimit?: number;
}

/**
 * A client of one server, or of several nodes of one cluster: it uses the first and fails over to another when that one drains, stops or
 * cannot be reached. Connects on first use; close it.
 */
export class RelayClient {
  constructor(options?: RelayClientOptions);
  /** Creates a bot for these endpoints, each by its name (`endpoints/support`) or its id (`support`). */
  bot(...endpoints: string[]): Bot;
  /**
   * Makes a unary call, for example `relay.call('endpoints', 'getEndpoint', { name })`, and retries it after transient errors, on the next
   * server if there is one. A mutation must have a request id. `wait` is the time for which the request asks the server to wait; an attempt
   * may take so much longer. Throws RelayError.
   */
  call<S extends keyof v1.Services, M extends keyof v1.Services[S]>(
    service: S, method: M, request: v1.RequestOf<v1.Services[S][M]>, options?: { signal?: AbortSignal; wait?: number },
  ): Promise<v1.ResponseOf<v1.Services[S][M]>>;
  /** The metadata of a call with the client's key. */
  readonly metadata: Metadata;
  /** Closes the connections. */
  close(): void;
}

/** Reads events and sends plaintext for endpoints. Needs a key of scope bot. The same request id takes effect once. */
export class Bot {
  private constructor();
  readonly client: RelayClient;
  readonly endpoints: readonly string[];
  /**
   * Streams the events of the endpoints, in order for each endpoint, starting with the first unacknowledged one. Reconnects by itself. An
   * iteration yields each event once; a later one yields unacknowledged events again. Throws RelayError for a permanent refusal.
   */
  events(): AsyncGenerator<BotEvent, void, void>;
  /**
   * Takes the events of a subscription (`endpoints/{endpoint}/subscriptions/{subscription}`), in order for each conversation, each again
   * until it is acknowledged, and shared with the subscription's other readers. Reconnects by itself. `credit`, 16 by default, is the number
   * of events that may be unsettled at a time, 1 to 1000; their time for an acknowledgement begins when they are delivered.
   */
  subscription(name: string, options?: { credit?: number }): AsyncGenerator<BotEvent, void, void>;
  /**
   * Handles the events of the endpoints until the process gets SIGINT or SIGTERM, or `signal` is aborted; then what is being handled is
   * handled to its end. Events of different peers are handled side by side.
   */
  run(handler: BotHandler, options?: RunOptions): Promise<void>;
  /**
   * Sends text in a conversation. Fulfilled when the message is durable, or refused; with a wait, of at most 60,000 milliseconds, when it is
   * known what became of it (`response.message.state`: CARRIED is with the network), or when the time is over.
   */
  send(conversation: string, text: string, requestId?: string, options?: { wait?: number }): Promise<Outcome<v1.SendMessageResponse>>;
  /** Sends text to a peer as `send` does, and creates the conversation if there is none. */
  sendTo(endpoint: string, peer: string, text: string, requestId?: string, options?: { wait?: number }): Promise<Outcome<v1.SendMessageResponse>>;
  /** Gets a message that was sent, by its name, with what has become of it. The server remembers the latest of a conversation. */
  getMessage(message: string): Promise<v1.Message>;
  /** Takes back a message that is held; any other is refused (MESSAGE_NOT_HELD). */
  cancelMessage(message: string, requestId?: string): Promise<Outcome<v1.Message>>;
  /** Lists an endpoint's conversations, page after page; `filter` and `orderBy` are as ListConversationsRequest says. */
  conversations(endpoint: string, options?: { filter?: string; orderBy?: string }): AsyncGenerator<v1.Conversation, void, void>;
  /** Gets the conversation with a peer; null if there is none. */
  findConversation(endpoint: string, peer: string): Promise<v1.Conversation | null>;
  /** Sets a label of a conversation, or removes it (null). */
  label(conversation: string, label: string, value: string | null, requestId?: string): Promise<Outcome<v1.Conversation>>;
  /**
   * Deletes a conversation: its private session is ended, what waits is dropped, and what is left are the peer's keys. The peer's next message
   * begins it anew.
   */
  deleteConversation(conversation: string, requestId?: string): Promise<void>;
  /** Takes a key for the peer's, by its fingerprint: what was held goes to it. It is not verified by that. */
  acceptKey(conversation: string, fingerprint: string, requestId?: string): Promise<Outcome<v1.Identity>>;
  /**
   * Refuses a key, by its fingerprint: sessions with it end, what was held for it is dropped, and it gets no session until it is accepted or
   * verified.
   */
  refuseKey(conversation: string, fingerprint: string, requestId?: string): Promise<Outcome<v1.Identity>>;
  /**
   * Stores a secret, 1 to 256 bytes of UTF-8, by which the server answers verifications that a peer begins, without asking the bot: five a
   * day for each peer. null removes the one that is stored. Without `peer` it is for all peers of the endpoint without a secret of their own:
   * take a long one then.
   */
  setAnswerSecret(endpoint: string, secret: string | null, options?: { peer?: string; requestId?: string }): Promise<void>;
  /**
   * Sends a file in a conversation: uploads it and offers it to the peer, which needs a private session. Called again with the same request id
   * and content, it goes on where it was interrupted. `content` is bytes, or a file that is open for reading; at most 64 MiB. `fileName` has no
   * directories.
   */
  sendFile(
    conversation: string, content: Uint8Array | FileHandle, fileName: string, options?: { mediaType?: string; requestId?: string },
  ): Promise<Outcome<v1.FileTransfer>>;
  /** As `sendFile`, to a peer by its address. */
  sendFileTo(
    endpoint: string, peer: string, content: Uint8Array | FileHandle, fileName: string, options?: { mediaType?: string; requestId?: string },
  ): Promise<Outcome<v1.FileTransfer>>;
  /** Downloads a file that was received (`event.file`), and compares its digest. Rejected if what was downloaded is not the file. */
  downloadFile(file: v1.FileTransfer): Promise<Buffer>;
  /** The same, to a file that is open for reading and writing, as by `open(path, 'r+')`: what it has already is kept, and the download goes on there. */
  downloadFile(file: v1.FileTransfer, destination: FileHandle): Promise<void>;
  /** Gets a file by its name. */
  getFile(file: string): Promise<v1.FileTransfer>;
  /** Lists an endpoint's files, the sent and the received, page after page. */
  files(endpoint: string): AsyncGenerator<v1.FileTransfer, void, void>;
  /** Deletes a file and its keys, by its name; also one that is not there any more. */
  deleteFile(file: string): Promise<void>;
  /** Offers a peer a private session; the peer's client decides whether one is established. */
  startSession(endpoint: string, peer: string, requestId?: string): Promise<Outcome<v1.StartSessionResponse>>;
  /** Ends a conversation's private session and tells the peer. */
  endSession(conversation: string, requestId?: string): Promise<Outcome<v1.EndSessionResponse>>;
  /** Begins to verify the peer by a secret that both people know, or by a question that only the peer can answer. */
  verify(conversation: string, secret: string, question?: string, requestId?: string): Promise<Outcome<v1.Verification>>;
  /** Answers a verification that the peer began. */
  answerVerification(verification: string, secret: string, requestId?: string): Promise<Outcome<v1.Verification>>;
  /** Declines or aborts an open verification, and tells the peer. */
  cancelVerification(verification: string, requestId?: string): Promise<Outcome<v1.Verification>>;
}

/** Settings of Bot.run. */
export interface RunOptions {
  /** The subscription to read; it is created if there is none of that name. Processes that name the same one share its events. */
  subscription?: string;
  /** The number of events that are handled side by side, each of another peer; 16 by default. */
  maxConcurrency?: number;
  /** Milliseconds that handling an event may take; 30,000 by default. It counts when the subscription is created. */
  ackWait?: number;
  /** The number of deliveries after which an event is a dead letter; 5 by default. It counts when the subscription is created. */
  maxDeliveries?: number;
  signal?: AbortSignal;
}

/**
 * An event that a bot received: a text, a change of a session, a verification, or another one, which `message` tells. What an event of one
 * kind does not have is null in the others.
 */
export class BotEvent {
  private constructor();
  /** The bot that received the event, for further requests. */
  readonly bot: Bot;
  /** The event as an API message, with the fields that this class does not expose. */
  readonly message: v1.Event;
  /** What was asked of the server last, whether it has taken that or not: `FINAL` is acknowledged or set aside. */
  readonly settlement: 'NONE' | 'GIVEN_BACK' | 'FINAL';
  readonly endpoint: string;
  readonly conversation: string;
  /** The peer's address. */
  readonly peer: string;
  /** The text as the peer sent it. It may contain any character: use `cleanText` for logs, terminals and pages. */
  readonly text: string | null;
  /** The text for display, without control characters and marks of direction. It is not escaped for HTML or any other language. */
  readonly cleanText: string | null;
  /** True if the text was received in a private session. Otherwise, reply with nothing confidential. */
  readonly isPrivate: boolean;
  /** True if the key that the text came with was verified. Until then anybody may be the peer. */
  readonly isVerified: boolean;
  /**
   * True if the peer's key took another's place and nobody has decided about it (`Policy.key_change` is HOLD): the text may be somebody else's,
   * and replies wait until the key is accepted or refused.
   */
  readonly isKeyHeld: boolean;
  /** The session that has changed. */
  readonly session: v1.Session | null;
  /** The verification that waits for an answer or has ended. */
  readonly verification: v1.Verification | null;
  /** The file that the peer offers, that has come, or that cannot be brought to the peer. */
  readonly file: v1.FileTransfer | null;
  /** True if the peer asks to verify, and `answer` may answer. */
  readonly waitsForAnswer: boolean;
  /** 1 for the first delivery of an event of a subscription, 2 for the second, …; 0 for an event of an endpoint's own stream. */
  readonly delivery: number;
  /** True if the stream that it came on has ended: the server delivers it again, unless it is acknowledged. */
  readonly isGivenBack: boolean;
  /**
   * Acknowledges this event; of an endpoint's own stream also all earlier ones. True once it is stored; false if the event was settled or
   * given back before, so that there was nothing to do.
   */
  ack(): Promise<boolean>;
  /**
   * Gives an event of a subscription back, to be delivered again after a delay in milliseconds, at most a day. The note, of at most 500
   * characters, is for people who look at the dead letter. The result is as that of `ack`.
   */
  nack(delay?: number, note?: string): Promise<boolean>;
  /** Makes an event of a subscription a dead letter at once. The result is as that of `ack`. */
  setAside(note?: string): Promise<boolean>;
  /** Replies in the same conversation. A bot that is killed after replying does not reply twice. A refusal is a value. */
  reply(text: string): Promise<Outcome<v1.SendMessageResponse>>;
  /** Answers the peer's verification with the shared secret, once for each event. */
  answer(secret: string): Promise<Outcome<v1.Verification>>;
  /** Begins to verify the peer by a secret or a question, once for each event. */
  verify(secret: string, question?: string): Promise<Outcome<v1.Verification>>;
  /** Takes the key of the session that has changed for the peer's: what was held goes to it. It is not verified by that. */
  acceptKey(): Promise<Outcome<v1.Identity>>;
  /** Refuses the key of the session that has changed: the session ends, and what was held for it is dropped. */
  refuseKey(): Promise<Outcome<v1.Identity>>;
}

/**
 * Handles the events of a bot (Bot.run): override what the bot cares about. Events of different peers are handled side by side, those of one
 * peer in order. An event is acknowledged when the promise of its method is fulfilled, unless the method has settled it otherwise. It is
 * delivered again if the process ends before that, so a method may run twice for an event; replies, answers and verifications that are made
 * through the event take effect once even then.
 */
export class BotHandler {
  /** Milliseconds after which an event that could not be handled is delivered again. */
  static retryDelay: number;
  onText(event: BotEvent & { readonly text: string; readonly cleanText: string }): Promise<void>;
  onSession(event: BotEvent & { readonly session: v1.Session }): Promise<void>;
  onVerification(event: BotEvent & { readonly verification: v1.Verification }): Promise<void>;
  /** Any other event: a held message was dropped, a text could not be read, the trust in a key has changed, … */
  onEvent(event: BotEvent): Promise<void>;
  /**
   * One of the other methods failed, or took too long. By default the event is given back, to be delivered again after `retryDelay`; at the
   * subscription's last delivery, the fifth unless it says otherwise, it becomes a dead letter, and the rest goes on.
   */
  onError(event: BotEvent, error: unknown): Promise<void>;
}
