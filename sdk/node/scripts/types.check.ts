// Compiled, never run: the types fit what a bot's author writes.
import { BotHandler, RelayClient, type BotEvent, type v1 } from '../src/index.js';

class Handler extends BotHandler {
  override async onText(event: BotEvent & { text: string }): Promise<void> {
    const outcome = await event.reply(event.text.toUpperCase());
    const disposition: 'ENCRYPTED' | 'CLEAR' | 'HELD' | 'DISPOSITION_UNSPECIFIED' = outcome.response.disposition;
    if (outcome.isAccepted || disposition === 'HELD') await event.ack();
    // @ts-expect-error A reply is text.
    await event.reply(4711);
  }
}

const relay = new RelayClient({ servers: ['https://relay.example:7420'], keyFile: 'bot.key' });
const caller: v1.Caller = await relay.call('admin', 'getCaller', {});
const endpoints: string[] = caller.endpoints;
// @ts-expect-error There is no such call.
await relay.call('admin', 'getNothing', {});
// @ts-expect-error There is no such field.
await relay.call('endpoints', 'getEndpoint', { nam: endpoints[0] });
await relay.bot('support').run(new Handler(), { maxConcurrency: 4 });
