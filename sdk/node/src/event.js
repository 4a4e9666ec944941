const lineEnds = /\r\n|\r|\u0085/g;
// eslint-disable-next-line no-control-regex
const unclean = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const maxDelay = 86_400_000;
const maxNote = 500;

/**
 * An event that a bot received: a text, a change of a session, a verification, or another one, which `message` tells. What an event of one
 * kind does not have is null in the others.
 */
export class BotEvent {
  #settler;
  #replies = 0;

  constructor(bot, message, settler) {
    this.bot = bot;
    this.message = message;
    /** What was asked of the server last, whether it has taken that or not: NONE, GIVEN_BACK, or FINAL (acknowledged or set aside). */
    this.settlement = 'NONE';
    this.#settler = settler;
  }

  get endpoint() {
    return this.message.endpoint;
  }

  get conversation() {
    return this.message.conversation;
  }

  get peer() {
    return this.message.peer;
  }

  get text() {
    return this.message.textReceived?.text ?? null;
  }

  get cleanText() {
    return this.text?.replace(lineEnds, '\n').replace(unclean, '') ?? null;
  }

  get isPrivate() {
    return this.message.textReceived?.encrypted ?? false;
  }

  get isVerified() {
    return this.message.textReceived?.peerVerified ?? false;
  }

  get isKeyHeld() {
    return this.message.textReceived?.keyHeld ?? this.session?.keyHeld ?? false;
  }

  get session() {
    return this.message.sessionChanged?.session ?? null;
  }

  get verification() {
    return this.message.verificationChanged?.verification ?? null;
  }

  get file() {
    return this.message.fileChanged?.file ?? null;
  }

  get waitsForAnswer() {
    return this.verification?.state === 'WAITING_FOR_ANSWER';
  }

  get delivery() {
    return this.message.delivery;
  }

  get #isOfSubscription() {
    return this.message.subscription !== '';
  }

  /** Identifies the event among all of its endpoint's streams. */
  get #id() {
    const { subscription, cursor, sequence } = this.message;
    return this.#isOfSubscription ? `${subscription.slice(subscription.lastIndexOf('/') + 1)}-${cursor}` : sequence;
  }

  /** True if the stream that it came on has ended: the server delivers it again, unless it is acknowledged. */
  get isGivenBack() {
    return this.#settler.hasEnded;
  }

  async ack() {
    this.settlement = 'FINAL';
    return this.#settler.ack(this);
  }

  async nack(delay = 0, note = '') {
    return this.#giveBack(delay, false, note);
  }

  async setAside(note = '') {
    return this.#giveBack(0, true, note);
  }

  async #giveBack(delay, terminate, note) {
    // Not left to the server, which would end the stream for it, and so give back whatever else the bot has.
    if (!(delay >= 0 && delay <= maxDelay)) throw new RangeError('The delay must be zero to one day.');
    if (note.length > maxNote) throw new RangeError(`The note must have at most ${maxNote} characters.`);
    this.settlement = terminate ? 'FINAL' : 'GIVEN_BACK';
    return this.#settler.giveBack(this, delay, terminate, note);
  }

  reply(text) {
    return this.bot.reply(this.conversation, text, `reply-${this.#id}-${++this.#replies}`);
  }

  async answer(secret) {
    if (!this.verification) throw new TypeError('This event is not a verification.');
    return this.bot.answerVerification(this.verification.name, secret, `answer-${this.#id}`);
  }

  verify(secret, question = '') {
    return this.bot.verify(this.conversation, secret, question, `verify-${this.#id}`);
  }

  async acceptKey() {
    return this.bot.acceptKey(this.conversation, this.#fingerprint);
  }

  async refuseKey() {
    return this.bot.refuseKey(this.conversation, this.#fingerprint);
  }

  get #fingerprint() {
    if (!this.session) throw new TypeError('This event is not a change of a session.');
    return this.session.peerFingerprint;
  }
}
