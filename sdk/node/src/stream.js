import { setTimeout as sleep } from 'node:timers/promises';
import { Rounds } from './connection.js';
import { RelayError } from './errors.js';
import { BotEvent } from './event.js';
import { EndpointSettler } from './settle.js';

const final = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'INVALID_ARGUMENT', 'OUT_OF_RANGE', 'FAILED_PRECONDITION', 'UNIMPLEMENTED']);
// The time that the server gets to store the last acknowledgements when the bot stops.
export const closeTimeout = 2_000;

/** The wait before a stream that has ended with an error is opened again; null for none. Throws a permanent refusal. */
export function waitAfter(rounds, server, error) {
  if (final.has(error.code)) throw error;
  return error.isPassing && !error.isOfServer ? rounds.stay(error.retryAfter) : rounds.fail(server, error.retryAfter);
}

/**
 * Yields the events of a bot's endpoints. It opens each endpoint after the last event that was delivered, and sends acknowledgements. When
 * the connection breaks, is silent for too long or the server drains, it reconnects to the next server.
 */
export async function* streamEvents(bot) {
  const { client } = bot;
  const rounds = new Rounds(client.servers, client.options);
  const positions = new Map(bot.endpoints.map(e => [e, { given: null, acknowledged: null, isSent: true }]));
  let connection;
  const settler = new EndpointSettler(({ message: { endpoint, sequence } }) => {
    const position = positions.get(endpoint);
    if (position.acknowledged !== null && BigInt(sequence) <= BigInt(position.acknowledged)) return;
    position.acknowledged = sequence;
    position.isSent = false;
    connection.writeAcknowledgements();
  });
  for (;;) {
    const server = client.servers.current;
    connection = new Connection(client, positions);
    let wait, isDrained = false, isStopping = false;
    try {
      for (let response; !isDrained && (response = await connection.next());) {
        isDrained = Boolean(response.draining);
        // A drain message does not reset the backoff: otherwise a cluster that drains would be polled without a pause.
        if (!isDrained) rounds.reset();
        if (!response.event || !isNew(positions.get(response.event.endpoint), response.event)) continue;
        isStopping = true;
        yield new BotEvent(bot, response.event, settler);
        isStopping = false;
      }
      wait = isDrained ? rounds.fail(server) : rounds.stay();
    } catch (e) {
      if (!(e instanceof RelayError)) throw e;
      wait = waitAfter(rounds, server, e);
    } finally {
      if (isStopping) await connection.finish();
      connection.end();
    }
    if (wait !== null) await sleep(wait);
  }
}

function isNew(position, { sequence }) {
  if (position.given !== null && BigInt(sequence) <= BigInt(position.given)) return false;
  position.given = sequence;
  return true;
}

/** One connection of the stream: responses one at a time, and a watchdog for silence. */
class Connection {
  #call;
  #positions;
  #silenceLimit;
  #arrived = [];
  #outcome = null;
  #wake = null;
  #isWriting = false;

  constructor(client, positions) {
    this.#positions = positions;
    this.#silenceLimit = client.options.silenceLimit;
    this.#call = client.servers.services.events.streamEvents(client.metadata)
      .on('data', response => {
        this.#arrived.push(response);
        // The next one is read when it is asked for: the server waits meanwhile.
        this.#call.pause();
        this.#wake?.();
      })
      .on('end', () => this.#settle({}))
      .on('error', error => this.#settle({ error: new RelayError(error) }));
    for (const [endpoint, { given }] of positions) this.#call.write({ open: { endpoint, ...(given === null ? {} : { afterSequence: given }) } });
    // A new connection begins where the last one was, and repeats the acknowledgements.
    for (const position of positions.values()) position.isSent = position.acknowledged === null;
    this.writeAcknowledgements();
  }

  /** The next response; null at the end of the stream. Throws a RelayError if it ended otherwise. */
  async next() {
    if (this.#arrived.length === 0 && !this.#outcome) {
      this.#call.resume();
      // A silent connection is dead: cancelling it makes an error.
      const watchdog = setTimeout(() => this.#call.cancel(), this.#silenceLimit);
      await new Promise(resolve => { this.#wake = resolve; });
      clearTimeout(watchdog);
      this.#wake = null;
    }
    if (this.#arrived.length > 0) return this.#arrived.shift();
    if (this.#outcome.error) throw this.#outcome.error;
    return null;
  }

  /** Sends the acknowledgements that are not sent, one after the other, so that a later one takes the place of those that wait. */
  writeAcknowledgements() {
    if (this.#isWriting || this.#outcome) return;
    for (const [endpoint, position] of this.#positions) {
      if (position.isSent) continue;
      position.isSent = true;
      this.#isWriting = true;
      this.#call.write({ ack: { endpoint, sequence: position.acknowledged } }, () => {
        this.#isWriting = false;
        this.writeAcknowledgements();
      });
      return;
    }
    this.#written?.();
  }

  #written = null;

  /** Sends the remaining acknowledgements, closes this side and waits briefly for the server's end. */
  async finish() {
    const limit = setTimeout(() => this.#call.cancel(), closeTimeout);
    try {
      if (this.#isWriting) await new Promise(resolve => { this.#written = resolve; });
      this.#call.end();
      while (await this.next());
    } catch (e) {
      if (!(e instanceof RelayError)) throw e;
    } finally {
      clearTimeout(limit);
    }
  }

  end() {
    this.#call.cancel();
  }

  #settle(outcome) {
    this.#outcome ??= outcome;
    this.#wake?.();
    this.#written?.();
  }
}
