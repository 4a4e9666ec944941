import grpc from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bot } from './bot.js';
import { Rounds, ServerRing, defaults, endpointName, parseServers } from './connection.js';
import { RelayError } from './errors.js';
import { RelayKey } from './key.js';

const defaultServer = 'http://127.0.0.1:7420';

/**
 * A client of one server, or of several nodes of one cluster: it uses the first and fails over to another when that one drains, stops or
 * cannot be reached. Connects on first use; close it.
 */
export class RelayClient {
  #metadata = new grpc.Metadata();

  constructor({ servers, key, keyFile, ...options } = {}) {
    const known = keyFile ? RelayKey.fromFile(keyFile) : !key ? RelayKey.fromEnvironment() : typeof key === 'string' ? new RelayKey(key) : key;
    this.#metadata.set('authorization', known.authorization);
    const trust = process.env.RELAY_CA ? { trustedCertificateFile: process.env.RELAY_CA } : {};
    this.options = Object.freeze({ ...defaults, ...trust, ...options });
    const unknown = Object.keys(options).filter(o => !(o in defaults));
    if (unknown.length > 0) throw new TypeError(`RelayClient has no option ${unknown.join(', ')}; it has ${Object.keys(defaults).join(', ')}.`);
    this.servers = new ServerRing(parseServers(servers ?? (process.env.RELAY_SERVER || defaultServer)), this.options);
  }

  /** Creates a bot for these endpoints, each by its name (`endpoints/support`) or its id (`support`). */
  bot(...endpoints) {
    return new Bot(this, endpoints.map(endpointName));
  }

  /** The metadata of a call with the client's key. */
  get metadata() {
    return this.#metadata;
  }

  /**
   * Makes a unary call, for example `relay.call('endpoints', 'getEndpoint', request)`, and retries it after transient errors, on the next
   * server if there is one. A mutation must have a request id. `wait` is the time for which the request asks the server to wait; an attempt
   * may take so much longer. Throws RelayError.
   */
  async call(service, method, request, { signal, wait = 0 } = {}) {
    const rounds = new Rounds(this.servers, this.options);
    const begun = performance.now();
    for (;;) {
      const server = this.servers.current;
      let error;
      try {
        return await this.#attempt(service, method, request, signal, wait);
      } catch (e) {
        signal?.throwIfAborted();
        if (!(e instanceof RelayError)) throw e;
        error = e;
      }
      if (!error.isPassing) throw error;
      const pause = error.isOfServer ? rounds.fail(server, error.retryAfter) : rounds.stay(error.retryAfter);
      if (pause === null) continue;
      if (performance.now() - begun > this.options.giveUpAfter) throw error;
      await sleep(pause, undefined, { signal });
    }
  }

  #attempt(service, method, request, signal, wait) {
    const client = this.servers.services[service];
    if (typeof client?.[method] !== 'function') throw new TypeError(`There is no call ${service}.${method}.`);
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.options.attemptTimeout + wait;
      const call = client[method](request, this.#metadata, { deadline }, (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(new RelayError(error));
        else resolve(response);
      });
      const cancel = () => call.cancel();
      signal?.addEventListener('abort', cancel);
    });
  }

  /** Closes the connections. */
  close() {
    this.servers.close();
  }
}
