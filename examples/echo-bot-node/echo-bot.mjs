// echo-bot.mjs NAME …, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER.
import { RelayClient } from 'relay-otr';

const relay = new RelayClient();
for await (const event of relay.bot(...process.argv.slice(2)).events()) {
  // A refusal, because the peer has ended the session for example, is a value.
  if (event.text !== null && event.isPrivate) await event.reply(`echo: ${event.text}`);
  await event.ack();
}
