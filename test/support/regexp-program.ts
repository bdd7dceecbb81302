/**
 * Regular expressions as a backtracking engine sees them, so that its steps can be counted. Knows what src uses: no
 * backreferences, no lookbehind. An atom is matched by the real engine, one character at a time.
 */

/** One instruction; numbers are places in the program. */
export type Instruction =
  | { readonly op: 'char'; readonly test: (char: string) => boolean }
  | { readonly op: 'split'; first: number; second: number; readonly loops?: boolean }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'look'; readonly program: Instruction[]; readonly negative: boolean }
  | { readonly op: 'start' | 'end' | 'match' };

/** @throws Error for what it does not know */
export function compileRegExp(source: string, flags: string): Instruction[] {
  const compiler = new Compiler(source, flags.replace(/[gy]/g, ''));
  compiler.alternatives();
  if (compiler.at < source.length) throw new Error(`not understood at ${compiler.at}: ${source}`);
  return [...compiler.code, { op: 'match' }];
}

class Compiler {
  at = 0;
  code: Instruction[] = [];

  constructor(
    private readonly source: string,
    private readonly flags: string,
  ) {}

  alternatives(): void {
    const begin = this.code.length;
    this.sequence();
    while (this.source[this.at] === '|') {
      this.at++;
      const first = this.code.splice(begin);
      this.code.push({ op: 'split', first: begin + 1, second: begin + first.length + 2 });
      this.insert(first, begin, begin + 1);
      const jump = { op: 'jump' as const, to: 0 };
      this.code.push(jump);
      this.sequence();
      jump.to = this.code.length;
    }
  }

  private sequence(): void {
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')')
      this.quantified();
  }

  private quantified(): void {
    const begin = this.code.length;
    this.atom();
    const part = this.code.splice(begin);
    const [text, min, max] = this.quantifier();
    this.at += text.length;
    const append = (): void => this.insert(part, begin, this.code.length);
    for (let i = 0; i < min; i++) append();
    if (max === Infinity) {
      const loop = this.code.length;
      const split = { op: 'split' as const, first: loop + 1, second: 0, loops: true };
      this.code.push(split);
      append();
      this.code.push({ op: 'jump', to: loop });
      split.second = this.code.length;
      return;
    }
    // The first copy that is left out ends the repetition.
    const exits: { second: number }[] = [];
    for (let i = min; i < max; i++) {
      const split = { op: 'split' as const, first: this.code.length + 1, second: 0 };
      this.code.push(split);
      exits.push(split);
      append();
    }
    for (const exit of exits) exit.second = this.code.length;
  }

  private quantifier(): [text: string, min: number, max: number] {
    const [text = '', range] = /^(?:[*+?]|\{(\d+(?:,\d*)?)\})\??/.exec(this.source.slice(this.at)) ?? [];
    if (text === '') return ['', 1, 1];
    if (range === undefined) return [text, text.startsWith('+') ? 1 : 0, text.startsWith('?') ? 1 : Infinity];
    const [min = '0', max = min] = range.split(',');
    return [text, Number(min), max === '' ? Infinity : Number(max)];
  }

  private atom(): void {
    const rest = this.source.slice(this.at);
    const group = /^\((?:\?(?::|=|!|<[A-Za-z]+>))?/.exec(rest)?.[0];
    if (group !== undefined) {
      this.group(group);
      return;
    }
    const [text = ''] =
      /^(?:\[(?:[^\]\\]|\\[^])*\]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[pP]\{\w+\}|\\[^]|[^])/.exec(rest) ??
      [];
    this.at += text.length;
    if (/^\\[1-9bBk]$/.test(text)) throw new Error(`not known: ${text}`);
    if (text === '^' || text === '$') {
      this.code.push({ op: text === '^' ? 'start' : 'end' });
      return;
    }
    const pattern = new RegExp(`^(?:${text})$`, this.flags);
    this.code.push({ op: 'char', test: (char) => pattern.test(char) });
  }

  private group(opening: string): void {
    this.at += opening.length;
    const look = opening === '(?=' || opening === '(?!';
    const outer = this.code;
    if (look) this.code = [];
    this.alternatives();
    this.at++;
    if (!look) return;
    outer.push({ op: 'look', program: [...this.code, { op: 'match' }], negative: opening === '(?!' });
    this.code = outer;
  }

  /** Copies a part that was compiled to stand at one place to another. */
  private insert(part: readonly Instruction[], from: number, to: number): void {
    const by = to - from;
    for (const each of part) {
      if (each.op === 'split') this.code.push({ ...each, first: each.first + by, second: each.second + by });
      else if (each.op === 'jump') this.code.push({ ...each, to: each.to + by });
      else this.code.push(each);
    }
  }
}

/** How long a search may go on. */
export interface Budget {
  steps: number;
  readonly limit: number;
}

/** Searches a text through to its end, match after match, as `replace` with the flag g does, and counts. */
export function countSteps(
  program: readonly Instruction[],
  text: string,
  limit: number,
  sticky = false,
): number {
  const budget: Budget = { steps: 0, limit };
  for (let start = 0; start <= text.length && budget.steps < limit;) {
    const end = matchAt(program, text, start, budget);
    if (end === undefined && sticky) break;
    start = end === undefined || end === start ? start + 1 : end;
  }
  return budget.steps;
}

function matchAt(
  program: readonly Instruction[],
  text: string,
  start: number,
  budget: Budget,
): number | undefined {
  const stack = [0, start];
  while (stack.length > 0 && budget.steps < budget.limit) {
    let position = stack.pop() as number;
    let at = stack.pop() as number;
    for (;;) {
      if (++budget.steps >= budget.limit) return undefined;
      const instruction = program[at] as Instruction;
      if (instruction.op === 'match') return position;
      if (instruction.op === 'split') {
        stack.push(instruction.second, position);
        at = instruction.first;
      } else if (instruction.op === 'jump') {
        at = instruction.to;
      } else if (instruction.op === 'char') {
        const char = text[position];
        if (char === undefined || !instruction.test(char)) break;
        position++;
        at++;
      } else {
        if (!holds(instruction, text, position, budget)) break;
        at++;
      }
    }
  }
  return undefined;
}

function holds(instruction: Instruction, text: string, position: number, budget: Budget): boolean {
  if (instruction.op === 'start') return position === 0;
  if (instruction.op === 'end') return position === text.length;
  if (instruction.op !== 'look') return false;
  return (matchAt(instruction.program, text, position, budget) !== undefined) !== instruction.negative;
}
