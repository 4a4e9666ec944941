import { toDuration } from './errors.js';

// The most cursors of one request.
const maxCursors = 1000;

/** The events of an endpoint's own stream, which are acknowledged without an answer. */
export class EndpointSettler {
  hasEnded = false;
  #acknowledge;

  constructor(acknowledge) {
    this.#acknowledge = acknowledge;
  }

  async ack(event) {
    this.#acknowledge(event);
    return true;
  }

  async giveBack() {
    throw new TypeError('Only an event of a subscription can be given back; acknowledge this one, or stop reading.');
  }
}

/** Settles events of a subscription by calls: those that were pulled, and those whose stream has ended. */
export class CallSettler {
  hasEnded = false;
  #client;

  constructor(client) {
    this.#client = client;
  }

  async ack({ message: { subscription, cursor } }) {
    await this.#client.call('subscriptions', 'ackSubscription', { name: subscription, cursors: [cursor] });
    return true;
  }

  async giveBack({ message: { subscription, cursor } }, delay, terminate, note) {
    const request = { name: subscription, cursors: [cursor], delay: toDuration(delay), terminate, note };
    await this.#client.call('subscriptions', 'nackSubscription', request);
    return true;
  }
}

/**
 * The settlements of the events that were delivered on one connection of a reader to SubscriptionService.Subscribe. Each waits for its
 * confirmation.
 */
export class StreamSettler {
  hasEnded = false;
  #calls;
  #write;
  #cursors = [];
  /** By cursor: one at a time, because a refusal may overtake the confirmation of an earlier settlement. */
  #waiting = new Map();

  /** `write` sends a request. */
  constructor(calls, write) {
    this.#calls = calls;
    this.#write = write;
  }

  /** After the end of the stream the event is given back, and yet it is done: the call acknowledges it, whoever has it by then. */
  async ack(event) {
    const { cursor } = event.message;
    const answer = await this.#settle(cursor, () => {
      // Those of one turn of the event loop go together.
      if (this.#cursors.push(cursor) === 1) queueMicrotask(() => this.#writeAcknowledgements());
    });
    return answer ?? this.#calls.ack(event);
  }

  /** The end of the stream has given it back already, and another reader may have it. */
  async giveBack(event, delay, terminate, note) {
    const nack = { cursors: [event.message.cursor], delay: toDuration(delay), terminate, note };
    const answer = await this.#settle(event.message.cursor, () => this.#write({ nack }));
    return answer ?? (terminate && this.#calls.giveBack(event, delay, terminate, note));
  }

  /** Takes an answer of the server. */
  confirm({ cursors, rejectReason }) {
    for (const cursor of cursors) this.#answer(cursor, rejectReason === '');
  }

  /** The connection is gone: what was not confirmed may have been stored, or not. */
  end() {
    this.hasEnded = true;
    for (const cursor of [...this.#waiting.keys()]) this.#answer(cursor, null);
  }

  #answer(cursor, answer) {
    const waiting = this.#waiting.get(cursor);
    this.#waiting.delete(cursor);
    waiting?.resolve(answer);
  }

  #settle(cursor, send) {
    if (this.hasEnded) return null;
    let waiting = this.#waiting.get(cursor);
    if (!waiting) {
      waiting = {};
      waiting.settled = new Promise(resolve => { waiting.resolve = resolve; });
      this.#waiting.set(cursor, waiting);
      send();
    }
    return waiting.settled;
  }

  #writeAcknowledgements() {
    while (this.#cursors.length > 0) this.#write({ ack: { cursors: this.#cursors.splice(0, maxCursors) } });
  }
}
