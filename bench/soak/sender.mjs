/** Sends the traffic at a constant rate, judges every answer, and keeps the accounts. */
import { checkPath, parseCheckResponse } from '../lib/check-request.mjs';
import { checkFields, headerBlock, Http2Connection } from '../lib/http2-client.mjs';
import { Latencies } from '../lib/latencies.mjs';
import { readDecision } from '../lib/measure.mjs';

const CONNECTIONS = 6;
/** Envoy would have given up long before; a call that is open for longer is unanswered. */
const UNANSWERED_AFTER_MS = 10_000;
/** Calls of a killed worker end with it; what ends without an answer later than this has no such excuse. */
const KILL_EXCUSE_MS = 15_000;
/** Less than what the gate gives Redis for an answer. */
const SLOW_STORE_MS = 50;
/** The deadline that the client sends; the bench's 200 ms are too little for a machine on which a worker starts again. */
const TIMEOUT_MS = 2_000;
const block = headerBlock(checkFields(checkPath, { timeoutMs: TIMEOUT_MS }));
const KEPT_EXAMPLES = 20;

export class Sender {
  #port;
  #kinds;
  #world;
  #connections = [];
  #total;
  #open = new Map();
  #sequence = 0;
  /** By kind: sent, right, statuses. */
  accounts = new Map();
  wrong = [];
  wrongAllows = 0;
  wrongCount = 0;
  unanswered = 0;
  lostToKills = 0;
  /** Overload answered with 503, which is right for every kind. */
  shed = 0;
  /** Redis was there, and did not answer in time: a proof is refused, as configured. */
  slowStore = 0;
  /** The call's deadline passed in a stalled process: no answer of ours, and Envoy no longer waits for one. */
  late = 0;
  latencies = new Latencies();

  constructor({ port, kinds, world }) {
    this.#port = port;
    this.#kinds = kinds;
    this.#world = world;
    this.#total = kinds.reduce((sum, { weight }) => sum + weight, 0);
    for (const { kind } of kinds) this.accounts.set(kind, { sent: 0, right: 0, statuses: {} });
  }

  /** One request of a kind chosen by weight. */
  async send() {
    const { kind, make } = this.#choose();
    const request = make();
    if (request === undefined) return;
    const connection = await this.#connection();
    if (connection === undefined) return;
    const sent = { kind, sentMs: Date.now(), id: this.#sequence++ };
    this.#open.set(sent.id, sent);
    this.accounts.get(kind).sent++;
    connection.request(block, request.body, (answer) => this.#answered(sent, request, answer));
  }

  /** Calls that are open for too long; asked now and then, and at the end. */
  sweep(nowMs = Date.now()) {
    for (const [id, { kind, sentMs }] of this.#open) {
      if (nowMs - sentMs < UNANSWERED_AFTER_MS) continue;
      this.#open.delete(id);
      this.unanswered++;
      this.#example({ kind, what: `no answer after ${nowMs - sentMs} ms` });
    }
  }

  get openCalls() {
    return this.#open.size;
  }

  close() {
    for (const connection of this.#connections) connection.close();
  }

  #choose() {
    let left = Math.random() * this.#total;
    return this.#kinds.find(({ weight }) => (left -= weight) < 0) ?? this.#kinds[0];
  }

  async #connection() {
    this.#connections = this.#connections.filter((connection) => connection.usable);
    if (this.#connections.length < CONNECTIONS) {
      const opened = await Http2Connection.connect(this.#port).catch(() => undefined);
      if (opened) this.#connections.push(opened);
    }
    return this.#connections[this.#sequence % Math.max(1, this.#connections.length)];
  }

  #answered({ kind, sentMs, id }, request, answer) {
    if (!this.#open.delete(id)) return;
    if (answer === undefined) return this.#lost(kind, sentMs);
    const status = readDecision(answer);
    const account = this.accounts.get(kind);
    account.statuses[status] = (account.statuses[status] ?? 0) + 1;
    this.latencies.add(Date.now() - sentMs);
    request.answered?.(status);
    const right = request.right(sentMs);
    if (right.includes(status)) account.right++;
    else if (status === 503 && isOverload(answer)) this.shed++;
    else if (status === 503 && Date.now() - sentMs >= SLOW_STORE_MS && isStoreDenial(answer))
      this.slowStore++;
    else if (status === 0 && Date.now() - sentMs >= TIMEOUT_MS) this.late++;
    else {
      this.wrongCount++;
      if (status === 200) this.wrongAllows++;
      this.#example({
        kind,
        what: `${status} instead of ${right.join(' or ')}`,
        at: new Date().toISOString(),
      });
    }
    return undefined;
  }

  #lost(kind, sentMs) {
    if (Date.now() - this.#world.lastKillMs < KILL_EXCUSE_MS || sentMs - this.#world.lastKillMs < 0)
      this.lostToKills++;
    else {
      this.unanswered++;
      this.#example({ kind, what: 'the call ended without an answer' });
    }
  }

  #example(wrong) {
    if (this.wrong.length < KEPT_EXAMPLES) this.wrong.push(wrong);
  }
}

const textOf = (answer) => parseCheckResponse(answer.body.subarray(5)).denied_response?.body ?? '';
const isOverload = (answer) => textOf(answer).includes('too many requests');
const isStoreDenial = (answer) => textOf(answer).includes('replay store');
