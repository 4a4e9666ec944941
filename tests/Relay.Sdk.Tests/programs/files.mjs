// files.mjs DIRECTORY: sends the file `content` there to two, and takes what two has sent.
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { RelayClient } from 'relay-otr';

const directory = process.argv[2];
const relay = new RelayClient();
const bot = relay.bot('e');
const yes = value => (value ? 'True' : 'False');
let received;
for await (const event of bot.events()) {
  if (event.file?.state !== 'RECEIVED') continue;
  received = event.file;
  break;
}
console.log('event', received.fileName, received.mediaType, received.peer);

const options = { mediaType: 'application/x-test', requestId: 'r' };
const content = await open(`${directory}/content`);
const sent = (await bot.sendFileTo('e', 'two', content, 'from bot.bin', options)).response;
const again = (await bot.sendFileTo('e', 'two', content, 'from bot.bin', options)).response;
await content.close();
console.log('sent', sent.state, yes(again.name === sent.name));
const also = (await bot.sendFile(sent.conversation, new Uint8Array(), 'empty')).response;
console.log('empty', also.state, also.size);
const names = [];
for await (const { fileName } of bot.files('e')) names.push(`'${fileName}'`);
console.log('listed', `[${names.sort().join(', ')}]`);

const part = await open(`${directory}/part`, 'r+');
await bot.downloadFile(received, part);
await part.close();
const digest = data => createHash('sha256').update(data).digest('hex');
const whole = await bot.downloadFile(received);
console.log('got', digest(await readFile(`${directory}/part`)) === digest(whole) ? digest(whole) : 'two different files');
for (const name of ['wrong', 'longer']) {
  const other = await open(`${directory}/${name}`, 'r+');
  try {
    await bot.downloadFile(received, other);
  } catch (error) {
    console.log(name, yes(error.message.includes('another digest')));
  }
  await other.close();
}

console.log('refused', (await bot.sendFileTo('e', 'nobody', Buffer.from('x'), 'x')).refusal.reason);
await bot.deleteFile(sent.name);
try {
  await bot.getFile(sent.name);
} catch (error) {
  console.log('deleted', error.reason);
}
relay.close();
