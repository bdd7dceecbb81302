/** HTTP/1.1 as bytes: targets and fields exactly as they are given, which no polite client sends. */
import { connect } from 'node:net';

/** An answer. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; several fields of one name in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/** What is sent. */
export interface RawQuestion {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Sends a request to a port of the loopback, and reads the answer to its end. */
export async function askRaw(
  port: number,
  { method, target, host, headers }: RawQuestion,
): Promise<RawAnswer> {
  const fields = [['host', host], ...headers, ['connection', 'close']].map((pair) => pair.join(': '));
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let read = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => (read += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(read));
    socket.write(`${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  });
  return parse(text);
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = new Map<string, string[]>();
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), field.slice(colon + 1).trim()]);
  }
  const body = text.slice(end + 4);
  const isChunked = headers.get('transfer-encoding')?.includes('chunked') === true;
  return { status: Number(line.split(' ')[1]), headers, body: isChunked ? unchunk(body) : body };
}

function unchunk(text: string): string {
  let rest = text;
  let whole = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (!(size > 0)) return whole;
    whole += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
}
