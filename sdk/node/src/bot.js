import { randomUUID } from 'node:crypto';
import { Outcome, RelayError } from './errors.js';
import { runHandlers } from './handler.js';
import { streamEvents } from './stream.js';
import { SubscriptionReader, checkCredit } from './subscription.js';

/** Reads events and sends plaintext for endpoints. Needs a key of scope bot. */
export class Bot {
  constructor(client, endpoints) {
    this.client = client;
    this.endpoints = endpoints;
  }

  events() {
    return streamEvents(this);
  }

  async *subscription(name, { credit = 16 } = {}) {
    checkCredit('credit', credit);
    const reader = new SubscriptionReader(this, name, credit, () => credit);
    try {
      for (;;) yield await reader.read();
    } finally {
      await reader.close();
    }
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

  async #outcome(service, method, request) {
    try {
      return new Outcome(await this.client.call(service, method, request));
    } catch (error) {
      if (!(error instanceof RelayError && error.isRefusal)) throw error;
      return new Outcome(undefined, error);
    }
  }
}
