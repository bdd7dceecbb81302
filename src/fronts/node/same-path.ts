/** Do two targets have the same path, but for the slash that a router puts in where its own part was all there was? */
export function isSamePath(original: string, present: string): boolean {
  const [one, other] = [pathOf(original), pathOf(present)];
  return one === other || `${one}/` === other;
}

/** Is a path what was left of another one, when routers had cut off their own part? */
export function isRestOfPath(original: string, present: string): boolean {
  const [one, rest] = [pathOf(original), pathOf(present)];
  return one.endsWith(rest) || rest === '/';
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
