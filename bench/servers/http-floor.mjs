/** An empty handler of node:http: what any HTTP front pays to be asked. */
import { createServer } from 'node:http';

createServer({ keepAliveTimeout: 90_000 }, (request, response) => {
  response.writeHead(200, ['content-length', '0']);
  response.end();
}).listen(Number(process.env['PORT']), '127.0.0.1');
