/** The executable: wires the command line to the process, and to the parts that only some commands need. */
import { runCli } from './cli/program.js';
import { takeHangup } from './early-hangup.js';
import { boundHeapGrowth } from './server/heap-growth.js';
import { VERSION } from './version.js';

const code = await runCli(process.argv.slice(2), {
  io: {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    in: async () => (await import('./cli/read-input.js')).readBounded(process.stdin),
  },
  version: VERSION,
  adminToken: process.env.PORTCULLIS_TOKEN,
  loadConfig: async (file) => (await import('./config/load-in-thread.js')).loadConfigInThread(file),
  loadServer: async () => {
    boundHeapGrowth();
    const { startServer } = await import('./server/start.js');
    return (options) => startServer({ ...options, takeHangup });
  },
  checkIssuers: async (config) => (await import('./cli/online.js')).checkIssuersOnline(config),
  checkDependencies: async (config) =>
    (await import('./cli/online-dependencies.js')).checkDependenciesOnline(config),
  explainRequest: async (...args) => (await import('./explain.js')).explainRequest(...args),
});

// A server that failed to start may have left something open, which must not keep the process.
if (code !== undefined) process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
