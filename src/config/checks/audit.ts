import { type CheckContext, refuse } from './context.js';

/** `audit`: one destination. Whether the file can be opened shows at the start. */
export function checkAudit(ctx: CheckContext): void {
  const audit = ctx.root.get('audit');
  if (!audit.exists) return;
  const given = ['file', 'stdout'].filter((name) => audit.get(name).exists);
  if (given.length !== 1) refuse(ctx, audit, 'must have exactly one of file and stdout');
}
