/**
 * SIGHUP asks a server to reload, and ends a process that does not listen for it. A server listens before it loads the
 * rest of its code; what arrives during the start is made up for after it.
 */
let isPending = false;
const note = (): void => {
  isPending = true;
};

/** From now on SIGHUP and SIGUSR2 do not end this process. */
export function noteHangups(): void {
  process.on('SIGHUP', note);
  // Opens the audit log again once it is open; before that there is nothing to do.
  process.on('SIGUSR2', () => undefined);
}

/** Did SIGHUP arrive since `noteHangups()`? To be called by who listens from now on. */
export function takeHangup(): boolean {
  process.off('SIGHUP', note);
  const arrived = isPending;
  isPending = false;
  return arrived;
}
