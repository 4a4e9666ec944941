// conversations.mjs: with alice, who has a private session, and bob, who is away, does what a bot can do with conversations.
import { RelayClient } from 'relay-otr';

const relay = new RelayClient();
const bot = relay.bot('e');
const sent = (await bot.sendTo('endpoints/e', 'alice', 'hello', undefined, { wait: 30_000 })).response;
console.log('sent', sent.message.state);
console.log('known', (await bot.getMessage(sent.message.name)).state);
console.log('carried', (await bot.cancelMessage(sent.message.name)).refusal.reason);

const alice = await bot.findConversation('e', 'alice');
console.log('label', (await bot.label(alice.name, 'team', 'sales')).response.labels.team);
const listed = [];
for await (const { peer } of bot.conversations('e', { filter: 'labels.team = "sales"' })) listed.push(peer);
console.log('listed', JSON.stringify(listed).replaceAll('"', "'"));
console.log('removed', JSON.stringify((await bot.label(alice.name, 'team', null)).response.labels));

const held = (await bot.sendTo('endpoints/e', 'bob', 'later')).response;
console.log('held', held.message.state);
console.log('cancelled', (await bot.cancelMessage(held.message.name)).response.state);

await bot.setAnswerSecret('e', 'a long secret of the endpoint', { peer: 'alice' });
console.log('secret', (await bot.findConversation('e', 'alice')).hasAnswerSecret ? 'True' : 'False');
await bot.setAnswerSecret('e', null, { peer: 'alice' });
console.log('cleared', (await bot.findConversation('e', 'alice')).hasAnswerSecret ? 'True' : 'False');

const key = alice.sessions[0].peerFingerprint;
console.log('accepted', (await bot.acceptKey(alice.name, key)).response.standing);
console.log('refused', (await bot.refuseKey(alice.name, key)).response.standing);

await bot.deleteConversation(held.conversation);
console.log('deleted', await bot.findConversation('e', 'bob') ?? 'None');
relay.close();
