// Writes the types of relay.v1 to standard output, from the protos in a directory: make-types.mjs DIRECTORY
import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

// protobufjs comes with @grpc/proto-loader.
const require = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'));
const protobuf = require('protobufjs');

const directory = process.argv[2];
const root = new protobuf.Root();
root.resolvePath = (_, target) => join(directory, target);
const files = readdirSync(join(directory, 'relay/v1')).filter(f => f !== 'status.proto').map(f => `relay/v1/${f}`).sort();
root.loadSync(files, { keepCase: false, alternateCommentMode: true, preferTrailingComment: false });
root.resolveAll();

const scalars = { string: 'string', bool: 'boolean', bytes: 'Buffer', double: 'number', float: 'number', int32: 'number', uint32: 'number', int64: 'string', uint64: 'string' };
const wellKnown = {
  '.google.protobuf.Timestamp': 'Timestamp', '.google.protobuf.Duration': 'Duration', '.google.protobuf.FieldMask': 'FieldMask',
};
const lines = [
  '// The messages of relay.v1 as the package gives and takes them, made by sdk/make-stubs.sh. In an answer every field is set, a message',
  '// that was not sent is null, and of a oneof one field is there; in a request every field may be left out.',
  '',
  'export interface Timestamp { seconds: string; nanos: number }',
  'export interface Duration { seconds: string; nanos: number }',
  'export interface FieldMask { paths: string[] }',
  '',
  '/** A message to send: every field may be left out. */',
  'export type Input<T> = T extends Buffer | string | number | boolean | null | undefined ? T',
  '  : T extends (infer E)[] ? Input<E>[] : { [K in keyof T]?: Input<T[K]> };',
  'export interface Call<Request, Response> { request: Request; response: Response }',
  'export type RequestOf<T> = T extends Call<infer R, unknown> ? Input<R> : never;',
  'export type ResponseOf<T> = T extends Call<unknown, infer R> ? R : never;',
];

const nameOf = type => wellKnown[type.fullName] ?? type.fullName.replace('.relay.v1.', '').replaceAll('.', '_');
const typeOf = field => {
  const base = field.resolvedType ? nameOf(field.resolvedType) : scalars[field.type];
  if (!base) throw new Error(`${field.fullName} has the type ${field.type}, which has no counterpart here.`);
  return field.repeated ? `${base}[]` : base;
};
const comment = (text, indent) => {
  if (!text) return;
  const rows = text.split('\n').map(r => r.trim().replaceAll('*/', '* /'));
  lines.push(rows.length === 1 ? `${indent}/** ${rows[0]} */` : [`${indent}/**`, ...rows.map(r => `${indent} * ${r}`.trimEnd()), `${indent} */`].join('\n'));
};

function writeMessage(type) {
  lines.push('');
  comment(type.comment, '');
  lines.push(`export interface ${nameOf(type)} {`);
  for (const field of type.fieldsArray) {
    comment(field.comment, '  ');
    const isMessage = field.resolvedType instanceof protobuf.Type;
    const isOneOf = field.partOf && !field.options?.proto3_optional;
    const isOptional = Boolean(field.partOf);
    lines.push(`  ${field.name}${isOptional ? '?' : ''}: ${typeOf(field)}${isMessage && !field.repeated && !isOneOf ? ' | null' : ''};`);
  }
  for (const oneof of type.oneofsArray.filter(o => !o.name.startsWith('_')))
    lines.push(`  ${oneof.name}?: ${oneof.fieldsArray.map(f => `'${f.name}'`).join(' | ')};`);
  lines.push('}');
  for (const nested of type.nestedArray) write(nested);
}

function writeEnum(type) {
  lines.push('');
  comment(type.comment, '');
  lines.push(`export type ${nameOf(type)} =`, Object.keys(type.values).map(v => `  | '${v}'`).join('\n') + ';');
}

function write(object) {
  if (object instanceof protobuf.Type) writeMessage(object);
  else if (object instanceof protobuf.Enum) writeEnum(object);
}

const services = root.lookup('relay.v1').nestedArray.filter(o => o instanceof protobuf.Service);
for (const object of root.lookup('relay.v1').nestedArray) write(object);
const names = {
  EndpointService: 'endpoints', ConversationService: 'conversations', MessageService: 'messages', IdentityService: 'identities',
  VerificationService: 'verifications', EventService: 'events', SubscriptionService: 'subscriptions', BridgeService: 'bridge',
  AdminService: 'admin', FileService: 'files',
};
lines.push('', '/** The unary calls, by the names that RelayClient.call takes. */', 'export interface Services {');
for (const service of services) {
  if (!names[service.name]) throw new Error(`${service.name} has no name in the package: give it one here and in stubs.js.`);
  lines.push(`  ${names[service.name]}: {`);
  for (const method of service.methodsArray.filter(m => !m.requestStream && !m.responseStream)) {
    comment(method.comment, '    ');
    method.resolve();
    lines.push(`    ${method.name[0].toLowerCase()}${method.name.slice(1)}: Call<${nameOf(method.resolvedRequestType)}, ${nameOf(method.resolvedResponseType)}>;`);
  }
  lines.push('  };');
}
lines.push('}');
process.stdout.write(`${lines.join('\n')}\n`);
