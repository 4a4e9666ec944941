// One scenario of a grpc-js client against the gateway: client.js TARGET DESCRIPTORS SCENARIO [CA]. Exits 0 if it passed.
// The API keys of each scope are in RELAY_TEST_ADMIN, RELAY_TEST_BOT and RELAY_TEST_BRIDGE.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [target, descriptors, scenario, ca] = process.argv.slice(2);
const types = protoLoader.loadFileDescriptorSetFromBuffer(fs.readFileSync(descriptors), { keepCase: true, longs: Number, oneofs: true, defaults: true });
const root = grpc.loadPackageDefinition(types);
const { EventService, BridgeService, MessageService, AdminService } = root.relay.v1;
const credentials = ca ? grpc.credentials.createSsl(fs.readFileSync(ca)) : grpc.credentials.createInsecure();
const algorithm = scenario === 'gzip' ? grpc.compressionAlgorithms.gzip : grpc.compressionAlgorithms.identity;
const client = Service => new Service(target, credentials, { 'grpc.default_compression_algorithm': algorithm });
const soon = (ms = 30000) => ({ deadline: Date.now() + ms });
const endpoint = 'endpoints/e';

const key = scope => {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'Bearer ' + process.env['RELAY_TEST_' + scope.toUpperCase()]);
  return metadata;
};
const settle = (resolve, reject) => (error, response) => (error ? reject(error) : resolve(response));
const unary = (Service, method, request, metadata, callOptions = soon()) =>
  new Promise((resolve, reject) => client(Service)[method](request, metadata, callOptions, settle(resolve, reject)));
const toSend = text => ({ request_id: '1', text, parent: endpoint, peer: 'peer' });
const send = (text, metadata = key('bot'), callOptions = soon()) => unary(MessageService, 'SendMessage', toSend(text), metadata, callOptions);
const inbound = (i, text = 'hello') => ({ inbound: { endpoint, peer: 'peer', message_id: String(i), text: Buffer.from(text) } });
const fails = async (code, promise) => {
  const error = await promise.then(() => assert.fail('the call did not fail'), e => e);
  assert.equal(error.code, code, error.message);
  return error;
};
// The messages of a stream, one at a time; null at its end.
const reader = call => {
  const waiting = [], arrived = [];
  const put = item => (waiting.length ? waiting.shift()(item) : arrived.push(item));
  call.on('data', message => put({ message })).on('error', error => put({ error })).on('end', () => put({ message: null }));
  return async () => {
    const item = arrived.length ? arrived.shift() : await new Promise(resolve => waiting.push(resolve));
    if (item.error) throw item.error;
    return item.message;
  };
};
// An ErrorInfo of the domain relay.v1 with this reason is these bytes within google.rpc.Status.
const hasReason = (error, reason) => {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  assert.ok(bytes.includes(Buffer.from(`\n${String.fromCharCode(reason.length)}${reason}\x12\x08relay.v1`)), reason);
};

const scenarios = {
  async unary() {
    assert.equal((await send('héllo')).disposition, 1);
    assert.ok((await unary(AdminService, 'GetServer', {}, key('admin'))).version);
  },
  async large() {
    assert.equal((await send('x'.repeat(65000))).disposition, 1);
    const { result } = await unary(BridgeService, 'PushWire', { message: inbound(1, 'x'.repeat(65536)).inbound }, key('bridge'));
    assert.equal(result.reject_reason, '');
  },
  async events() {
    const call = client(EventService).StreamEvents(key('bot'), soon());
    const next = reader(call);
    call.write({ open: { endpoint } });
    for (let i = 1; i <= 200; i++) {
      const { event } = await next();
      assert.deepEqual([event.sequence, event.text_received.text], [i, `text ${i}`]);
      call.write({ ack: { endpoint, sequence: i } });
    }
    assert.equal((await next()).caught_up.sequence, 200);
    call.end();
    assert.equal(await next(), null);
  },
  async wire() {
    const call = client(BridgeService).StreamWire(key('bridge'), soon());
    const next = reader(call);
    call.write({ open: { endpoint } });
    assert.ok((await next()).caught_up);
    for (let i = 0; i < 50; i++) {
      call.write(inbound(i));
      const { inbound_result: result } = await next();
      assert.deepEqual([result.message_id, result.reject_reason], [String(i), '']);
    }
    call.end();
    assert.equal(await next(), null);
  },
  async stream_refused() {
    const call = client(EventService).StreamEvents(key('bot'), soon());
    call.write({ open: { endpoint: 'none' } });
    hasReason(await fails(grpc.status.INVALID_ARGUMENT, reader(call)()), 'INVALID_ARGUMENT');
  },
  async deadline() {
    await fails(grpc.status.DEADLINE_EXCEEDED, send('hang', key('bot'), soon(2000)));
  },
  async cancel() {
    await fails(grpc.status.CANCELLED, new Promise((resolve, reject) => {
      const call = client(MessageService).SendMessage(toSend('hang'), key('bot'), soon(), settle(resolve, reject));
      setTimeout(() => call.cancel(), 1000);
    }));
  },
  async cancel_stream() {
    const call = client(BridgeService).StreamWire(key('bridge'), soon());
    call.write(inbound(1, 'hang'));
    setTimeout(() => call.cancel(), 1000);
    await fails(grpc.status.CANCELLED, reader(call)());
  },
  async oversize() {
    await fails(grpc.status.RESOURCE_EXHAUSTED, send('x'.repeat(256 * 1024)));
    const call = client(BridgeService).StreamWire(key('bridge'), soon());
    call.write(inbound(1, 'x'.repeat(256 * 1024)));
    await fails(grpc.status.RESOURCE_EXHAUSTED, reader(call)());
    await scenarios.unary();
  },
  async unknown() {
    const raw = new grpc.Client(target, credentials);
    for (const name of ['/relay.v1.MessageService/Nothing', '/relay.v1.NoService/SendMessage']) {
      await fails(grpc.status.UNIMPLEMENTED, new Promise((resolve, reject) =>
        raw.makeUnaryRequest(name, b => b, b => b, Buffer.alloc(0), key('admin'), settle(resolve, reject))));
    }
  },
  async metadata() {
    const none = new grpc.Metadata(), basic = new grpc.Metadata();
    hasReason(await fails(grpc.status.UNAUTHENTICATED, send('x', none)), 'KEY_MISSING');
    basic.set('authorization', 'Basic abc');
    hasReason(await fails(grpc.status.UNAUTHENTICATED, send('x', basic)), 'KEY_INVALID');
    hasReason(await fails(grpc.status.PERMISSION_DENIED, send('x', key('bridge'))), 'SCOPE_MISSING');
    const more = key('bot');
    more.set('x-bytes-bin', Buffer.from([0, 1, 0xfe, 0xff]));
    assert.equal((await send('x', more)).disposition, 1);
  },
  async error_details() {
    hasReason(await fails(grpc.status.INVALID_ARGUMENT, unary(MessageService, 'SendMessage', { text: 'x' }, key('bot'))), 'INVALID_ARGUMENT');
    hasReason(await fails(grpc.status.RESOURCE_EXHAUSTED, send('overloaded')), 'OVERLOADED');
  },
  async exception() {
    const error = await fails(grpc.status.INTERNAL, send('throw'));
    assert.ok(!error.details.includes('secret'));
    hasReason(error, 'INTERNAL');
  },
  async gzip() {
    assert.equal((await send('x'.repeat(60000))).disposition, 1);
    // Small on the wire, but not once it is decompressed.
    await fails(grpc.status.RESOURCE_EXHAUSTED, send('x'.repeat(300000)));
  },
  async health() {
    const { Health } = root.grpc.health.v1;
    for (const service of ['', 'relay.v1.EventService']) assert.equal((await unary(Health, 'Check', { service }, new grpc.Metadata())).status, 1);
    await fails(grpc.status.NOT_FOUND, unary(Health, 'Check', { service: 'nobody' }, new grpc.Metadata()));
    const next = reader(client(Health).Watch({ service: '' }, soon()));
    assert.equal((await next()).status, 1);
  },
  async reflection() {
    for (const version of ['v1', 'v1alpha']) {
      const call = client(root.grpc.reflection[version].ServerReflection).ServerReflectionInfo(key('bot'), soon());
      const next = reader(call);
      call.write({ list_services: '*' });
      const names = (await next()).list_services_response.service.map(s => s.name);
      assert.ok(names.includes('relay.v1.MessageService'), names);
      call.write({ file_containing_symbol: 'relay.v1.SendMessageRequest' });
      assert.ok((await next()).file_descriptor_response.file_descriptor_proto.length > 0);
      call.write({ file_containing_symbol: 'no.such.Type' });
      assert.equal((await next()).error_response.error_code, 5);
      call.end();
      assert.equal(await next(), null);
    }
  },
  async resets() {
    const service = client(BridgeService);
    for (let i = 0; i < 200; i++) {
      const call = service.StreamWire(new grpc.Metadata(), soon());
      call.on('error', () => {}).on('data', () => {});
      call.write(inbound(i));
      if (i % 2) await new Promise(resolve => setTimeout(resolve, 2));
      call.cancel();
    }
    await scenarios.unary();
  },
};

scenarios[scenario]().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
