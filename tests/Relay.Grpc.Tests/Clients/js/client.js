// One scenario of a grpc-js client against Relay.Grpc: client.js TARGET PROTOS SCENARIO [CA]. Exits 0 if it went as it must.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [target, protos, scenario, ca] = process.argv.slice(2);
const load = (...file) => grpc.loadPackageDefinition(protoLoader.loadSync(path.join(...file), { keepCase: true }));
const credentials = ca ? grpc.credentials.createSsl(fs.readFileSync(ca)) : grpc.credentials.createInsecure();
const options = { 'grpc.default_compression_algorithm': scenario === 'gzip' ? grpc.compressionAlgorithms.gzip : grpc.compressionAlgorithms.identity };
const EchoService = load(__dirname, '..', '..', 'Protos', 'echo.proto').relay.grpc.test.EchoService;
const echo = new EchoService(target, credentials, options);
const soon = (ms = 20000) => ({ deadline: Date.now() + ms });

const unary = (request, metadata = new grpc.Metadata(), client = echo, method = 'Unary', callOptions = soon()) =>
  new Promise((resolve, reject) => {
    const seen = {};
    const call = client[method](request, metadata, callOptions, (error, response) => (error ? reject(error) : resolve({ response, ...seen })));
    call.on('metadata', m => { seen.headers = m; });
    call.on('status', s => { seen.trailers = s.metadata; if (seen.done) seen.done(); });
    seen.ended = new Promise(done => { seen.done = done; });
  });
const fails = async (code, promise) => {
  const error = await promise.then(() => assert.fail('the call did not fail'), e => e);
  assert.equal(error.code, code, error.message);
  return error;
};
const drain = call => new Promise((resolve, reject) => {
  const messages = [];
  let failure;
  // The error may come before the last messages have been read; the end never does.
  call.on('data', m => messages.push(m)).on('error', error => { failure = Object.assign(error, { messages }); })
    .on('end', () => setImmediate(() => (failure ? reject(failure) : resolve(messages))));
});

const scenarios = {
  async unary() {
    assert.equal((await unary({ text: 'héllo' })).response.text, 'héllo');
  },
  async large() {
    const payload = Buffer.alloc(3 * 1024 * 1024, 7);
    assert.ok((await unary({ payload })).response.payload.equals(payload));
  },
  async client_stream() {
    const response = await new Promise((resolve, reject) => {
      const call = echo.ClientStream(soon(), (error, answer) => (error ? reject(error) : resolve(answer)));
      for (let i = 0; i < 100; i++) call.write({ text: String(i), payload: Buffer.from('ab') });
      call.end();
    });
    assert.equal(response.text, [...Array(100).keys()].join(',') + ':200');
  },
  async client_stream_stopped() {
    const error = await fails(grpc.status.ABORTED, new Promise((resolve, reject) => {
      const call = echo.ClientStream(soon(), e => (e ? reject(e) : resolve()));
      call.write({ text: 'stop' });
    }));
    assert.equal(error.details, 'stopped');
  },
  async server_stream() {
    const messages = await drain(echo.ServerStream({ text: 'n', count: 200 }, soon()));
    assert.deepEqual(messages.map(m => m.text), [...Array(200).keys()].map(i => `n ${i}`));
  },
  async server_stream_fails() {
    const error = await fails(grpc.status.OUT_OF_RANGE, drain(echo.ServerStream({ text: 'fail', count: 2 }, soon())));
    // grpc-js gives up messages that it has not handed out yet when a call fails.
    assert.ok(error.messages.length <= 2);
    assert.equal(error.details, 'no more');
    assert.deepEqual(error.metadata.get('reason'), ['end']);
  },
  async duplex() {
    const call = echo.Duplex(soon());
    let count = 0;
    await new Promise((resolve, reject) => {
      call.on('error', reject).on('end', resolve).on('data', m => {
        assert.equal(m.text, String(count++));
        if (count === 50) call.end(); else call.write({ text: String(count) });
      });
      call.write({ text: '0' });
    });
    assert.equal(count, 50);
  },
  async deadline() {
    await fails(grpc.status.DEADLINE_EXCEEDED, unary({ text: 'hang' }, undefined, echo, 'Unary', soon(2000)));
  },
  async cancel() {
    const call = echo.ServerStream({ text: 'hang', count: 1 }, soon());
    call.once('data', () => call.cancel());
    await fails(grpc.status.CANCELLED, drain(call));
  },
  async oversize_request() {
    await fails(grpc.status.RESOURCE_EXHAUSTED, unary({ payload: Buffer.alloc(4 * 1024 * 1024) }));
  },
  async oversize_response() {
    await fails(grpc.status.RESOURCE_EXHAUSTED, unary({ count: 4 * 1024 * 1024 }));
  },
  async unknown() {
    await fails(grpc.status.UNIMPLEMENTED, unary({}, undefined, echo, 'Missing'));
    const raw = new grpc.Client(target, credentials);
    for (const name of ['/relay.grpc.test.EchoService/Nothing', '/relay.grpc.test.NoService/Unary']) {
      await fails(grpc.status.UNIMPLEMENTED, new Promise((resolve, reject) =>
        raw.makeUnaryRequest(name, b => b, b => b, Buffer.alloc(0), e => (e ? reject(e) : resolve()))));
    }
  },
  async metadata() {
    const sent = new grpc.Metadata();
    sent.set('x-text', 'a value');
    sent.set('x-bytes-bin', Buffer.from([0, 1, 0xfe, 0xff]));
    const answer = await unary({ text: 'metadata' }, sent);
    await answer.ended;
    assert.deepEqual(answer.headers.get('x-text'), ['a value']);
    assert.deepEqual(answer.headers.get('x-bytes-bin'), [Buffer.from([0, 1, 0xfe, 0xff])]);
  },
  async error() {
    const error = await fails(grpc.status.FAILED_PRECONDITION, unary({ text: 'fail' }));
    assert.equal(error.details, 'nicht möglich: 100 %\n☃');
    assert.deepEqual(error.metadata.get('reason'), ['test']);
    assert.deepEqual(error.metadata.get('reason-bin'), [Buffer.from([0, 1, 0xfe, 0xff])]);
  },
  async exception() {
    const error = await fails(grpc.status.UNKNOWN, unary({ text: 'throw' }));
    assert.ok(!error.details.includes('secret'));
  },
  async gzip() {
    const payload = Buffer.alloc(1000000, 'x');
    const { response } = await unary({ payload });
    assert.ok(response.payload.equals(payload));
    assert.match((await unary({ text: 'headers' })).response.text, /grpc-encoding: gzip/i);
  },
  async health() {
    const { Health } = load(protos, 'grpc', 'health', 'v1', 'health.proto').grpc.health.v1;
    const health = new Health(target, credentials);
    assert.equal((await unary({ service: '' }, undefined, health, 'Check')).response.status, 1);
    assert.equal((await unary({ service: 'sick' }, undefined, health, 'Check')).response.status, 2);
    await fails(grpc.status.NOT_FOUND, unary({ service: 'nobody' }, undefined, health, 'Check'));
  },
  async reflection() {
    const { ServerReflection } = load(protos, 'grpc', 'reflection', 'v1', 'reflection.proto').grpc.reflection.v1;
    const call = new ServerReflection(target, credentials).ServerReflectionInfo(soon());
    const answers = drain(call);
    call.write({ list_services: '*' });
    call.write({ file_containing_symbol: 'relay.grpc.test.EchoRequest.payload' });
    call.write({ all_extension_numbers_of_type: 'no.such.Type' });
    call.end();
    const [services, file, missing] = await answers;
    assert.ok(services.list_services_response.service.some(s => s.name === 'relay.grpc.test.EchoService'));
    assert.equal(file.file_descriptor_response.file_descriptor_proto.length, 1);
    assert.equal(missing.error_response.error_code, grpc.status.NOT_FOUND);
  },
};

scenarios[scenario]().then(() => process.exit(0), error => { console.error(error); process.exit(1); });
