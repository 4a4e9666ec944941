import { randomUUID } from 'node:crypto';
import { endpointName } from './connection.js';
import { Outcome, RelayError, toDuration } from './errors.js';
import { downloadFile, listFiles, sendFile } from './files.js';
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

  send(conversation, text, requestId = randomUUID(), { wait = 0 } = {}) {
    return this.#outcome('messages', 'sendMessage', { requestId, parent: conversation, text, wait: toDuration(wait) }, wait);
  }

  sendTo(endpoint, peer, text, requestId = randomUUID(), { wait = 0 } = {}) {
    return this.#outcome('messages', 'sendMessage', { requestId, parent: endpoint, peer, text, wait: toDuration(wait) }, wait);
  }

  getMessage(message) {
    return this.client.call('messages', 'getMessage', { name: message });
  }

  cancelMessage(message, requestId = randomUUID()) {
    return this.#outcome('messages', 'cancelMessage', { requestId, name: message });
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

  async *conversations(endpoint, { filter = '', orderBy = '' } = {}) {
    for (let pageToken = ''; ;) {
      const request = { parent: endpointName(endpoint), filter, orderBy, pageToken };
      const page = await this.client.call('conversations', 'listConversations', request);
      yield* page.conversations;
      pageToken = page.nextPageToken;
      if (pageToken === '') return;
    }
  }

  async findConversation(endpoint, peer) {
    try {
      return await this.client.call('conversations', 'resolveConversation', { parent: endpointName(endpoint), peer });
    } catch (error) {
      if (error.reason !== 'CONVERSATION_NOT_FOUND') throw error;
      return null;
    }
  }

  label(conversation, label, value, requestId = randomUUID()) {
    const labels = value === null ? {} : { [label]: value };
    const request = { requestId, conversation: { name: conversation, labels }, updateMask: { paths: [`labels.${label}`] } };
    return this.#outcome('conversations', 'updateConversation', request);
  }

  async deleteConversation(conversation, requestId = randomUUID()) {
    await this.client.call('conversations', 'deleteConversation', { requestId, name: conversation });
  }

  acceptKey(conversation, fingerprint, requestId = randomUUID()) {
    return this.#outcome('identities', 'acceptIdentity', { requestId, name: `${conversation}/identities/${fingerprint}` });
  }

  refuseKey(conversation, fingerprint, requestId = randomUUID()) {
    return this.#outcome('identities', 'refuseIdentity', { requestId, name: `${conversation}/identities/${fingerprint}` });
  }

  async setAnswerSecret(endpoint, secret, { peer = '', requestId = randomUUID() } = {}) {
    const request = { requestId, parent: endpointName(endpoint), peer };
    if (secret === null) await this.client.call('verifications', 'clearAnswerSecret', request);
    else await this.client.call('verifications', 'setAnswerSecret', { ...request, secret });
  }

  sendFile(conversation, content, fileName, options) {
    return this.#outcomeOf(() => sendFile(this.client, { parent: conversation }, content, fileName, options));
  }

  sendFileTo(endpoint, peer, content, fileName, options) {
    return this.#outcomeOf(() => sendFile(this.client, { parent: endpointName(endpoint), peer }, content, fileName, options));
  }

  downloadFile(file, destination) {
    return downloadFile(this.client, file, destination);
  }

  getFile(file) {
    return this.client.call('files', 'getFile', { name: file });
  }

  files(endpoint) {
    return listFiles(this.client, endpoint);
  }

  async deleteFile(file) {
    await this.client.call('files', 'deleteFile', { name: file });
  }

  #outcome(service, method, request, wait = 0) {
    return this.#outcomeOf(() => this.client.call(service, method, request, { wait }));
  }

  async #outcomeOf(calls) {
    try {
      return new Outcome(await calls());
    } catch (error) {
      if (!(error instanceof RelayError && error.isRefusal)) throw error;
      return new Outcome(undefined, error);
    }
  }
}
