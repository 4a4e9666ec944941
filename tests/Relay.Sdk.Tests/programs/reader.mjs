// reader.mjs handlers|loop CREDIT SILENCE_LIMIT: reads endpoints/e/subscriptions/bot and does with each text what it says.
import { BotHandler, RelayClient } from 'relay-otr';

const [mode, credit, silence] = process.argv.slice(2);
const note = event => console.log(`${event.text}:${event.delivery}`);

class Reader extends BotHandler {
  async onText(event) {
    note(event);
    if (event.text === 'fail') throw new Error('failed');
    if (event.text === 'again') await event.nack(1500);
    if (event.text === 'drop') await event.setAside('no');
  }
}

const relay = new RelayClient({ silenceLimit: silence * 1000, maxBackoff: 300 });
if (mode === 'loop') {
  for await (const event of relay.bot().subscription('endpoints/e/subscriptions/bot', { credit: Number(credit) })) {
    note(event);
    if (event.text === 'fail' || event.text === 'again') await event.nack(event.text === 'fail' ? 10_000 : 1500);
    else if (event.text === 'drop') await event.setAside('no');
    else console.log(await event.ack() ? 'True' : 'False');
  }
} else await relay.bot('e').run(new Reader(), { maxConcurrency: Number(credit) });
relay.close();
