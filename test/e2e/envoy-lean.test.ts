/** Everything that clients of a real Envoy see, with `server.transport: lean`. */
process.env.PORTCULLIS_TEST_TRANSPORT = 'lean';
await import('./envoy.test.js');

export {};
