import { RelayError, toDuration, toMilliseconds } from './errors.js';
import { SubscriptionReader, checkCredit } from './subscription.js';

// The share of the time for an acknowledgement that handling may take: the rest is for the acknowledgement.
const handlingShare = 0.9;

/**
 * Handles the events of a bot (Bot.run): override what the bot cares about. Events of different peers are handled side by side, those of one
 * peer in order. An event is acknowledged when the promise of its method is fulfilled, unless the method has settled it otherwise.
 */
export class BotHandler {
  /** Milliseconds after which an event that could not be handled is delivered again. */
  static retryDelay = 10_000;

  async onText() {}

  async onSession() {}

  async onVerification() {}

  async onEvent() {}

  async onError(event, error) {
    await event.nack(BotHandler.retryDelay, error?.name ?? 'Error');
  }
}

/** Runs a bot's endpoints side by side, until a signal asks it to stop or one of them fails. */
export async function runHandlers(bot, handler, options) {
  const { subscription = 'bot', maxConcurrency = 16, ackWait = 30_000, maxDeliveries = 5, signal } = options;
  checkCredit('maxConcurrency', maxConcurrency);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  signal?.addEventListener('abort', onSignal);
  if (signal?.aborted) stop.abort();
  try {
    const loops = bot.endpoints.map(endpoint => new HandlerLoop(bot, handler, endpoint, { subscription, maxConcurrency, ackWait, maxDeliveries }, stop.signal));
    const results = await Promise.allSettled(loops.map(loop => loop.run().finally(onSignal)));
    for (const { reason } of results) if (reason) throw reason;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    signal?.removeEventListener('abort', onSignal);
  }
}

/**
 * Reads a subscription with a credit of as many events as there are places, and handles each when the conversation's earlier one is done.
 * The server gives no second event of a conversation before the first is settled; but it may give one again that was handled for too long, was
 * given back a moment ago, or was in progress when the stream ended.
 */
class HandlerLoop {
  #bot;
  #handler;
  #endpoint;
  #options;
  #stop;
  #name;
  #time;
  #inProgress = new Set();
  /** The last delivery of each conversation that is in progress. */
  #turns = new Map();

  constructor(bot, handler, endpoint, options, stop) {
    this.#bot = bot;
    this.#handler = handler;
    this.#endpoint = endpoint;
    this.#options = options;
    this.#stop = stop;
    this.#name = `${endpoint}/subscriptions/${options.subscription}`;
  }

  /** Runs until it is stopped, or the server refuses permanently; what is in progress is handled to its end. */
  async run() {
    try {
      this.#time = toMilliseconds((await this.#open()).ackWait) * handlingShare;
      await this.#read();
    } catch (error) {
      if (!this.#stop.aborted) throw error;
    }
  }

  /** Creates the subscription, unless there is one. */
  async #open() {
    const { subscription, ackWait, maxDeliveries } = this.#options;
    const create = { parent: this.#endpoint, subscriptionId: subscription, subscription: { ackWait: toDuration(ackWait), maxDeliveries } };
    for (;;) {
      try {
        return await this.#call('createSubscription', create);
      } catch (error) {
        if (error.code === 'ALREADY_EXISTS') return this.#call('getSubscription', { name: this.#name });
        if (!(error instanceof RelayError && error.isPassing)) throw error;
      }
    }
  }

  #call(method, request) {
    return this.#bot.client.call('subscriptions', method, request, { signal: this.#stop });
  }

  /** Reads until it is stopped, and then until what is in progress is settled. */
  async #read() {
    const { maxConcurrency } = this.#options;
    const reader = new SubscriptionReader(this.#bot, this.#name, maxConcurrency, () => maxConcurrency - this.#inProgress.size);
    try {
      for (;;) {
        while (this.#inProgress.size >= maxConcurrency && !this.#stop.aborted) await this.#place();
        const event = await reader.read(this.#stop);
        if (event === null || this.#stop.aborted) return;
        this.#begin(event);
      }
    } finally {
      reader.pause();
      await Promise.all(this.#inProgress);
      await reader.close();
    }
  }

  /** Waits until one of those in progress is done, or until it is stopped. */
  async #place() {
    let onStop;
    const stopped = new Promise(resolve => {
      onStop = resolve;
      this.#stop.addEventListener('abort', onStop, { once: true });
    });
    await Promise.race([stopped, ...this.#inProgress]);
    this.#stop.removeEventListener('abort', onStop);
  }

  #begin(event) {
    const { cursor } = event.message;
    const key = event.conversation || cursor;
    const turn = { cursor };
    turn.isDone = this.#inTurn(event, this.#turns.get(key)).finally(() => {
      this.#inProgress.delete(turn.isDone);
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    });
    this.#turns.set(key, turn);
    this.#inProgress.add(turn.isDone);
  }

  async #inTurn(event, earlier) {
    if (!earlier || !(await earlier.isDone) || earlier.cursor !== event.message.cursor) return this.#handle(event);
    // It comes again because its acknowledgement came late, and is done; this delivery takes credit until that is said.
    try {
      await event.ack();
    } catch (error) {
      process.emitWarning(`${this.#name}: an event could not be settled, and comes again: ${error?.name}`, 'RelayWarning');
    }
    return true;
  }

  /** Handles an event and settles it. Returns true if it does not come again. */
  async #handle(event) {
    try {
      try {
        await this.#inTime(this.#dispatch(event));
      } catch (error) {
        // A message of an error may quote a text or an address.
        process.emitWarning(`${this.#name}: an event could not be handled: ${error?.name}, at delivery ${event.delivery}`, 'RelayWarning');
        await this.#handler.onError(event, error);
      }
      if (event.settlement === 'NONE') await event.ack();
      return event.settlement === 'FINAL';
    } catch (error) {
      process.emitWarning(`${this.#name}: an event could not be settled, and comes again: ${error?.name}`, 'RelayWarning');
      return false;
    }
  }

  async #dispatch(event) {
    if (event.text !== null) await this.#handler.onText(event);
    else if (event.session) await this.#handler.onSession(event);
    else if (event.verification) await this.#handler.onVerification(event);
    else await this.#handler.onEvent(event);
  }

  async #inTime(work) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('Handling an event took too long.'), { name: 'TimeoutError' })), this.#time);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
