// verify-bot.mjs NAME, with the key in RELAY_KEY_FILE, the server in RELAY_SERVER, the customer's number in CUSTOMER_NUMBER.
import { BotHandler, RelayClient } from 'relay-otr';

const number = process.env.CUSTOMER_NUMBER;

class Support extends BotHandler {
  async onText(event) {
    if (event.isVerified) await event.reply(`echo: ${event.text}`);
    else if (event.isPrivate) await event.verify(number, 'What is your customer number?');
  }

  async onVerification(event) {
    if (event.waitsForAnswer) await event.answer(number); // The customer may ask first.
  }
}

const relay = new RelayClient();
await relay.bot(process.argv[2]).run(new Support());
relay.close();
