/**
 * The program of a worker. It listens for signals before it loads anything else: the whole process group may be
 * signalled at once, and the primary says when a worker ends or reloads.
 */
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined);
// Without the primary there is nobody to ask for keys, and nobody who would restart us.
process.on('disconnect', () => process.exit(1));

const { runWorker } = await import('./worker.js');
runWorker();
