import grpc from '@grpc/grpc-js';
import { decodeDetail } from './stubs.js';

const details = 'grpc-status-details-bin';

/** A call or stream failed: the server refused it, or could not be reached. */
export class RelayError extends Error {
  constructor(error) {
    super(error.details || error.message, { cause: error });
    this.name = 'RelayError';
    /** The name of the gRPC status; UNAVAILABLE if no connection could be made, whatever the reason. */
    this.code = grpc.status[error.code] ?? 'UNKNOWN';
    this.reason = '';
    this.violations = [];
    this.retryAfter = null;
    for (const bytes of error.metadata?.get(details) ?? []) this.#read(bytes);
  }

  #read(bytes) {
    try {
      for (const detail of decodeDetail('Status', bytes).details) {
        const { typeUrl, value } = asAny(detail);
        const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
        if (kind === 'google.rpc.ErrorInfo') this.reason = decodeDetail('ErrorInfo', value).reason;
        else if (kind === 'google.rpc.BadRequest') this.violations = decodeDetail('BadRequest', value).fieldViolations;
        else if (kind === 'google.rpc.RetryInfo') this.retryAfter = toMilliseconds(decodeDetail('RetryInfo', value).retryDelay);
      }
    } catch {
      // Details that cannot be read are ignored.
    }
  }

  /** True for a transient error: the same request, with the same id, may succeed later. It may also have succeeded already. */
  get isPassing() {
    switch (this.code) {
      case 'UNAVAILABLE': case 'DEADLINE_EXCEEDED': case 'CANCELLED': return true;
      case 'RESOURCE_EXHAUSTED': return this.retryAfter !== null;
      // Without a reason, the error comes from a broken connection and not from the server.
      case 'INTERNAL': case 'UNKNOWN': return this.reason === '';
      default: return false;
    }
  }

  /** True if this server or the connection to it failed, so that another one may succeed. */
  get isOfServer() {
    return this.isPassing && this.code !== 'RESOURCE_EXHAUSTED' && this.reason !== 'CONVERSATION_UNAVAILABLE';
  }

  /**
   * True if the conversation's state or the text is the cause, so that a peer may have brought it about; false if the key, the request or
   * the server is.
   */
  get isRefusal() {
    switch (this.code) {
      case 'FAILED_PRECONDITION': case 'DATA_LOSS': return true;
      case 'NOT_FOUND': return this.reason === 'CONVERSATION_NOT_FOUND';
      case 'RESOURCE_EXHAUSTED': return this.retryAfter === null;
      case 'INVALID_ARGUMENT': return this.violations.length > 0 && this.violations.every(v => v.field === 'text');
      default: return false;
    }
  }
}

/** The server's answer to a bot's request: carried out, or refused because of the conversation's state or of the text. */
export class Outcome {
  #response;

  constructor(response, refusal = null) {
    this.#response = response;
    this.refusal = refusal;
  }

  get isAccepted() {
    return this.refusal === null;
  }

  /** The response of a request that must have been carried out. Throws the refusal otherwise. */
  get response() {
    if (this.refusal) throw this.refusal;
    return this.#response;
  }
}

/** The milliseconds of a google.protobuf.Duration. */
export function toMilliseconds(duration) {
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** A google.protobuf.Duration of milliseconds. */
export function toDuration(milliseconds) {
  return { seconds: Math.floor(milliseconds / 1000), nanos: Math.floor(milliseconds % 1000 * 1e6) };
}

/** The loader may name the fields of google.protobuf.Any as the definition does. */
function asAny(detail) {
  return { typeUrl: detail.typeUrl ?? detail.type_url, value: detail.value };
}
