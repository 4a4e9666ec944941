import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const root = fileURLToPath(new URL('../protos', import.meta.url));
const files = ['admin', 'bridge', 'conversation', 'endpoint', 'event', 'file', 'identity', 'message', 'subscription', 'verification', 'status'];
const definition = protoLoader.loadSync(files.map(f => `relay/v1/${f}.proto`), {
  includeDirs: [root], longs: String, enums: String, defaults: true, oneofs: true, bytes: Buffer,
});
const { relay } = grpc.loadPackageDefinition(definition);

/** The generated clients of the services of one server, by the names that RelayClient.services has. */
export const services = {
  endpoints: relay.v1.EndpointService,
  conversations: relay.v1.ConversationService,
  messages: relay.v1.MessageService,
  identities: relay.v1.IdentityService,
  verifications: relay.v1.VerificationService,
  events: relay.v1.EventService,
  subscriptions: relay.v1.SubscriptionService,
  files: relay.v1.FileService,
  bridge: relay.v1.BridgeService,
  admin: relay.v1.AdminService,
};

/** Reads a message of the details of an error; `name` is one of Status, ErrorInfo, BadRequest and RetryInfo. */
export function decodeDetail(name, bytes) {
  return definition[`relay.sdk.v1.${name}`].deserialize(bytes);
}
