export { Bot } from './bot.js';
export { RelayClient } from './client.js';
export { Outcome, RelayError } from './errors.js';
export { BotEvent } from './event.js';
export { BotHandler } from './handler.js';
export { RelayKey } from './key.js';
