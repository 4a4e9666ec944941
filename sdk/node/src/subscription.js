import { setTimeout as sleep } from 'node:timers/promises';
import { Rounds } from './connection.js';
import { RelayError, toDuration } from './errors.js';
import { BotEvent } from './event.js';
import { CallSettler, StreamSettler } from './settle.js';
import { closeTimeout, waitAfter } from './stream.js';

/** The longest wait of one call that takes events. */
const pullWait = toDuration(15_000);
/** The time after which the stream is tried again: a server may be upgraded under a bot that runs for years. */
const streamRetry = 600_000;
const maxCredit = 1000;

/** Throws unless a server takes it as a credit. */
export function checkCredit(name, value) {
  if (!(Number.isInteger(value) && value >= 1 && value <= maxCredit)) throw new RangeError(`${name} must be 1 to ${maxCredit}.`);
}

/**
 * Reads one subscription, and reconnects: by the stream Subscribe, or by pulls where the server, or a proxy before it, has no such stream.
 * One consumer takes the events; settlements may come from anywhere.
 */
export class SubscriptionReader {
  #bot;
  #client;
  #name;
  #credit;
  #room;
  #calls;
  #events = [];
  #connection = null;
  #granted = 0;
  #isPaused = false;
  #error = null;
  #arrived = null;
  #wanted = null;
  /** Ends waits and pulls. */
  #pause = new AbortController();
  #running;

  /**
   * `credit` is the number of events that may be unsettled on the stream; `room` gives what a pull asks for, when the consumer waits.
   */
  constructor(bot, name, credit, room) {
    this.#bot = bot;
    this.#client = bot.client;
    this.#name = name;
    this.#credit = credit;
    this.#room = room;
    this.#calls = new CallSettler(bot.client);
    this.#running = this.#run();
  }

  /** Takes the next event; null once `signal` is aborted. Throws a RelayError if the server refused permanently. */
  async read(signal) {
    for (;;) {
      while (this.#events.length === 0) {
        if (signal?.aborted) return null;
        if (this.#error) throw this.#error;
        let wake;
        await new Promise(resolve => {
          this.#arrived = wake = resolve;
          signal?.addEventListener('abort', wake, { once: true });
          this.#wanted?.();
        });
        signal?.removeEventListener('abort', wake);
        this.#arrived = null;
      }
      const event = this.#events.shift();
      this.#changeCredit();
      // The end of its stream has given it back, and it comes again.
      if (!event.isGivenBack) return event;
    }
  }

  /** Lets no further event come, while those that were delivered may be settled. */
  pause() {
    this.#isPaused = true;
    this.#pause.abort();
    this.#changeCredit();
  }

  /** Ends the stream: what was delivered and is not settled is given back. */
  async close() {
    this.pause();
    this.#connection?.call.end();
    // The time that the server gets to store what was sent.
    const limit = setTimeout(() => this.#connection?.call.cancel(), closeTimeout);
    await this.#running;
    clearTimeout(limit);
  }

  async #run() {
    try {
      const rounds = new Rounds(this.#client.servers, this.#client.options);
      while (!this.#isPaused) {
        const server = this.#client.servers.current;
        let wait;
        try {
          wait = (await this.#connect(rounds)) ? rounds.fail(server) : rounds.stay();
        } catch (error) {
          if (!(error instanceof RelayError)) throw error;
          if (error.code === 'UNIMPLEMENTED') {
            await this.#pull();
            continue;
          }
          wait = waitAfter(rounds, server, error);
        }
        if (wait !== null) await sleep(wait, undefined, { signal: this.#pause.signal });
      }
    } catch (error) {
      if (this.#isPaused) return;
      this.#error = error;
      this.#arrived?.();
    }
  }

  /** One connection, to its end. Returns true if the server drains. */
  async #connect(rounds) {
    const call = this.#client.servers.services.subscriptions.subscribe(this.#client.metadata);
    const settler = new StreamSettler(this.#calls, request => call.write(request));
    this.#connection = { call };
    this.#granted = this.#credit;
    // A silent connection is dead: cancelling it makes an error.
    const watchdog = setTimeout(() => call.cancel(), this.#client.options.silenceLimit);
    try {
      call.write({ attach: { name: this.#name, credit: this.#credit } });
      return await new Promise((resolve, reject) => {
        call.on('data', response => {
          watchdog.refresh();
          if (response.draining) {
            resolve(true);
            return;
          }
          // A drain message does not reset the backoff: otherwise a cluster that drains would be polled without a pause.
          rounds.reset();
          if (response.settled) settler.confirm(response.settled);
          else if (response.event) this.#give(new BotEvent(this.#bot, response.event, settler));
        });
        call.on('end', () => resolve(false)).on('error', error => reject(new RelayError(error)));
      });
    } finally {
      clearTimeout(watchdog);
      this.#connection = null;
      settler.end();
      call.cancel();
    }
  }

  #give(event) {
    this.#events.push(event);
    this.#changeCredit();
    this.#arrived?.();
  }

  /**
   * The consumer may be slower than the time for acknowledgements, after which an event takes no credit: the credit is withdrawn while more
   * than it wait here, so that they are never more than twice as many.
   */
  #changeCredit() {
    const waiting = this.#events.length;
    const wanted = this.#isPaused || waiting > this.#credit ? 0 : waiting === 0 ? this.#credit : this.#granted;
    if (!this.#connection || wanted === this.#granted) return;
    this.#granted = wanted;
    this.#connection.call.write({ credit: wanted });
  }

  /** Pulls while the consumer waits for an event, until the stream is worth another attempt. */
  async #pull() {
    const { signal } = this.#pause;
    const begun = performance.now();
    while (performance.now() - begun < streamRetry && !this.#isPaused) {
      if (!this.#arrived) {
        await new Promise(resolve => {
          this.#wanted = resolve;
          signal.addEventListener('abort', resolve, { once: true });
        });
        signal.removeEventListener('abort', this.#wanted);
        this.#wanted = null;
        continue;
      }
      try {
        const request = { name: this.#name, maxEvents: Math.max(1, this.#room()), wait: pullWait };
        const { events } = await this.#client.call('subscriptions', 'pullSubscription', request, { signal });
        for (const event of events) this.#give(new BotEvent(this.#bot, event, this.#calls));
        // The consumer goes on before it is asked whether it waits for more.
        if (events.length > 0) this.#arrived = null;
      } catch (error) {
        // As a stream does, it goes on trying, however long the server is away.
        if (!(error instanceof RelayError && error.isPassing)) throw error;
      }
    }
  }
}
