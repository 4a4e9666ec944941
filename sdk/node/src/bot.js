import { randomUUID } from 'node:crypto';
import { Outcome, RelayError, toDuration } from './errors.js';
import { BotEvent } from './event.js';
import { runHandlers } from './handler.js';
import { streamEvents } from './stream.js';

const pullWait = toDuration(15_000);
// Few, because their time for an acknowledgement begins when they are taken.
const pulledAtOnce = 16;

/** Reads events and sends plaintext for endpoints. Needs a key of scope bot. */
export class Bot {
  constructor(client, endpoints) {
    this.client = client;
    this.endpoints = endpoints;
  }

  events() {
    return streamEvents(this);
  }

  async *subscription(name) {
    for (;;) yield* await this.pull(name, pulledAtOnce);
  }

  run(handler, options = {}) {
    return runHandlers(this, handler, options);
  }

  send(conversation, text, requestId = randomUUID()) {
    return this.#outcome('messages', 'sendMessage', { requestId, parent: conversation, text });
  }

  sendTo(endpoint, peer, text, requestId = randomUUID()) {
    return this.#outcome('messages', 'sendMessage', { requestId, parent: endpoint, peer, text });
  }

  startSession(endpoint, peer, requestId = randomUUID()) {
    return this.#outcome('conversations', 'startSession', { requestId, parent: endpoint, peer });
  }

  endSession(conversation, requestId = randomUUID()) {
    return this.#outcome('conversations', 'endSession', { requestId, parent: conversation });
  }

  verify(conversation, secret, question = '', requestId = randomUUID()) {
    return this.#outcome('verifications', 'createVerification', { requestId, parent: conversation, secret, question });
  }

  answerVerification(verification, secret, requestId = randomUUID()) {
    return this.#outcome('verifications', 'answerVerification', { requestId, name: verification, secret });
  }

  cancelVerification(verification, requestId = randomUUID()) {
    return this.#outcome('verifications', 'cancelVerification', { requestId, name: verification });
  }

  /** As send; a request id that was used for another text is a refusal. */
  async reply(conversation, text, requestId) {
    try {
      return await this.send(conversation, text, requestId);
    } catch (error) {
      if (error.reason !== 'REQUEST_ID_REUSED') throw error;
      return new Outcome(undefined, error);
    }
  }

  /** Takes events of a subscription, and waits a while for the first. Empty also while no server answers. */
  async pull(subscription, maxEvents, signal) {
    try {
      const request = { name: subscription, maxEvents, wait: pullWait };
      const { events } = await this.client.call('subscriptions', 'pullSubscription', request, { signal });
      return events.map(e => new BotEvent(this, e, () => {}));
    } catch (error) {
      if (!(error instanceof RelayError && error.isPassing)) throw error;
      return [];
    }
  }

  /** Acknowledges an event of a subscription. */
  async ack({ subscription, cursor }) {
    await this.client.call('subscriptions', 'ackSubscription', { name: subscription, cursors: [cursor] });
  }

  /** Gives an event of a subscription back. */
  async nack({ subscription, cursor }, delay, terminate, note) {
    const request = { name: subscription, cursors: [cursor], delay: toDuration(delay), terminate, note };
    await this.client.call('subscriptions', 'nackSubscription', request);
  }

  async #outcome(service, method, request) {
    try {
      return new Outcome(await this.client.call(service, method, request));
    } catch (error) {
      if (!(error instanceof RelayError && error.isRefusal)) throw error;
      return new Outcome(undefined, error);
    }
  }
}
