/**
 * The floor: what any grpc-js handler pays to be called. Bytes in, constant bytes out, channelz off, nothing decoded.
 */
import grpc from '@grpc/grpc-js';
import { checkPath, serializeCheckResponse } from '../lib/check-request.mjs';

const answer = serializeCheckResponse({
  status: { code: 0 },
  ok_response: { headers_to_remove: ['authorization'] },
});
const identity = (bytes) => bytes;
const server = new grpc.Server({ 'grpc.enable_channelz': 0 });
server.register(checkPath, (_call, respond) => respond(null, answer), identity, identity, 'unary');
server.bindAsync(`127.0.0.1:${process.env.PORT}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
process.once('SIGTERM', () => process.exit(0));
