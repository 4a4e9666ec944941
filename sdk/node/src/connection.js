import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import grpc from '@grpc/grpc-js';
import { services } from './stubs.js';

/** Retries, timeouts and trust of a client, in milliseconds. */
export const defaults = Object.freeze({
  firstBackoff: 100,
  maxBackoff: 5_000,
  giveUpAfter: 120_000,
  attemptTimeout: 30_000,
  silenceLimit: 60_000,
  trustedCertificateFile: null,
});

/**
 * The servers of one client and the one in use. A client starts with the first and keeps using a server until it fails. The others follow in
 * random order, so that the clients of a stopped node are distributed over the remaining ones.
 */
export class ServerRing {
  #servers;

  constructor(addresses, options) {
    const others = addresses.slice(1);
    for (let i = others.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [others[i], others[j]] = [others[j], others[i]];
    }
    this.#servers = [addresses[0], ...others].map(a => connect(a, options, others.length === 0));
    /** The index of the server in use. */
    this.current = 0;
  }

  get length() {
    return this.#servers.length;
  }

  /** The generated clients of the server in use. */
  get services() {
    return this.#servers[this.current];
  }

  /** Switches to the next server, unless a concurrent call has switched already. */
  moveOn(failed) {
    if (this.current === failed) this.current = (failed + 1) % this.length;
  }

  close() {
    for (const clients of this.#servers) for (const client of Object.values(clients)) client.close();
  }
}

/**
 * Fails over to the next server without a wait, and backs off only after every server has failed in turn (a round). A retry delay applies to
 * the server that asked for it, so the shortest one counts at the end of a round.
 */
export class Rounds {
  #servers;
  #options;
  #rounds = 0;
  #failed = 0;
  #asked = null;

  constructor(servers, options) {
    this.#servers = servers;
    this.#options = options;
  }

  /** Restarts the backoff after a success. */
  reset() {
    this.#rounds = this.#failed = 0;
    this.#asked = null;
  }

  /** Moves on from a server that failed or drains. Returns the wait before the next attempt; null for none. */
  fail(server, askedToWait = null) {
    this.#servers.moveOn(server);
    if (askedToWait !== null && (this.#asked === null || askedToWait < this.#asked)) this.#asked = askedToWait;
    return ++this.#failed < this.#servers.length ? null : this.#endRound();
  }

  /** Backs off without a failover: the server works but cannot accept the request now, and neither would the others. */
  stay(askedToWait = null) {
    this.#asked = askedToWait;
    return this.#endRound();
  }

  #endRound() {
    const ceiling = Math.min(this.#options.maxBackoff, this.#options.firstBackoff * 2 ** Math.min(this.#rounds++, 20));
    const wait = Math.max(this.#asked ?? 0, ceiling * (0.5 + Math.random() / 2));
    this.#failed = 0;
    this.#asked = null;
    return wait;
  }
}

/** Parses addresses: a list, or a text with commas, as in RELAY_SERVER. */
export function parseServers(servers) {
  const list = (Array.isArray(servers) ? servers : servers.split(',')).map(s => s.trim()).filter(s => s !== '');
  if (list.length === 0 || !list.every(s => /^https?:\/\/[^/]+\/?$/.test(s) && URL.canParse(s)))
    throw new TypeError("A server's address must be http://host:port or https://host:port; separate several by commas.");
  return list.map(s => new URL(s));
}

/** The resource name of an endpoint that is given by its name or by its id. */
export function endpointName(endpoint) {
  return endpoint.startsWith('endpoints/') ? endpoint : `endpoints/${endpoint}`;
}

function isLoopback(host) {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || (isIPv4(bare) && bare.startsWith('127.')) || (isIPv6(bare) && bare === '::1');
}

function connect(address, options, isAlone) {
  const isSecure = address.protocol === 'https:';
  if (!isSecure && !isLoopback(address.hostname)) throw new TypeError('An API key is not sent to another machine without TLS: use https://.');
  const roots = options.trustedCertificateFile ? readFileSync(options.trustedCertificateFile) : null;
  const credentials = isSecure ? grpc.credentials.createSsl(roots) : grpc.credentials.createInsecure();
  const target = `${address.hostname}:${address.port || (isSecure ? 443 : 80)}`;
  // If there is another server, timeouts are shorter, so that the failover comes sooner.
  const channel = new grpc.Channel(target, credentials, {
    'grpc.keepalive_time_ms': isAlone ? 20_000 : 5_000,
    'grpc.keepalive_timeout_ms': isAlone ? 10_000 : 5_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  return Object.fromEntries(Object.entries(services).map(([name, Service]) => [name, new Service(target, credentials, { channelOverride: channel })]));
}
