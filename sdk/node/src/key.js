import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

/** An API key, `relay_{id}_{secret}`. Printing one shows the id only. A key is never a command-line argument. */
export class RelayKey {
  #token;

  /** Parses a key; surrounding white space is ignored. The message of the error does not repeat the text. */
  constructor(text) {
    const token = text.trim();
    const match = /^relay_([^_]+)_(.+)$/.exec(token);
    if (!match || /[^!-~]/.test(token)) throw new TypeError('This is not an API key of Relay, which has the form relay_{id}_{secret}.');
    this.id = match[1];
    this.#token = token;
  }

  static fromFile(path) {
    return new RelayKey(readFileSync(path, 'latin1'));
  }

  /** Reads the key from the file that RELAY_KEY_FILE names, or else from RELAY_KEY. */
  static fromEnvironment() {
    if (process.env.RELAY_KEY_FILE) return RelayKey.fromFile(process.env.RELAY_KEY_FILE);
    if (process.env.RELAY_KEY) return new RelayKey(process.env.RELAY_KEY);
    throw new TypeError('Set RELAY_KEY_FILE to the path of a file with the API key, or RELAY_KEY to the key.');
  }

  get authorization() {
    return `Bearer ${this.#token}`;
  }

  toString() {
    return `RelayKey(${this.id})`;
  }

  toJSON() {
    return this.toString();
  }

  [inspect.custom]() {
    return this.toString();
  }
}
