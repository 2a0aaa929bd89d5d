import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { keepHeapSmall } from './heap-growth.js';
import { describeError, log, silenceConsole } from './logger.js';
import { BridgeServer } from './server.js';
import { keepSessionsFromFailedAttempts } from './session-attempts.js';

const USAGE = `usage: main.js --listen unix:/path | host:port [--tls-cert FILE --tls-key FILE --tls-ca FILE] [--exit-with-parent]`;

interface Options {
  listen: string;
  credentials: grpc.ServerCredentials;
  exitWithParent: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      'tls-ca': { type: 'string' },
      'exit-with-parent': { type: 'boolean', default: false },
    },
  });
  const { listen, 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = values;
  if (!listen) throw new Error(USAGE);
  const given = [cert, key, ca].filter(Boolean).length;
  if (given !== 0 && given !== 3) throw new Error('give --tls-cert, --tls-key and --tls-ca together');
  if (given === 0 && !isLocal(listen))
    throw new Error(`${listen} is not local: give --tls-cert, --tls-key and --tls-ca`);
  return {
    listen,
    credentials: cert && key && ca ? mutualTls(cert, key, ca) : grpc.ServerCredentials.createInsecure(),
    exitWithParent: values['exit-with-parent'],
  };
}

function isLocal(listen: string): boolean {
  return listen.startsWith('unix:') || /^(127\.0\.0\.1|localhost|\[::1\]):\d+$/.test(listen);
}

function mutualTls(cert: string, key: string, ca: string): grpc.ServerCredentials {
  const pair = { cert_chain: readFileSync(cert), private_key: readFileSync(key) };
  return grpc.ServerCredentials.createSsl(readFileSync(ca), [pair], true);
}

/** Removes the socket file of a bridge that was killed; one that still answers is left alone. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true));
    probe.on('error', () => resolve(false));
    probe.on('connect', () => probe.destroy());
  });
  if (answers) throw new Error(`${path} is in use by another bridge`);
  rmSync(path, { force: true });
}

async function main(): Promise<void> {
  const { listen, credentials, exitWithParent } = readOptions();
  const socketPath = listen.startsWith('unix:') ? listen.slice('unix:'.length) : undefined;
  const server = new BridgeServer();
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.stop();
    if (socketPath) rmSync(socketPath, { force: true });
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The parent is gone, and its ends of the pipes with it.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  if (exitWithParent) process.stdin.on('close', stop).resume();
  // Baileys leaves promises of an ended socket without a handler; one session must not end the others.
  process.on('unhandledRejection', (reason) => log('warn', `unhandled rejection: ${describeError(reason)}`));

  if (socketPath) await removeStaleSocket(socketPath);
  const port = await server.listen(listen, credentials);
  if (socketPath) chmodSync(socketPath, 0o600);
  const address = socketPath ? listen : `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
  process.stdout.write(`${JSON.stringify({ ready: true, address })}\n`);
}

keepHeapSmall();
silenceConsole();
keepSessionsFromFailedAttempts();
main().catch((error) => {
  log('error', error instanceof Error ? error.message : String(error));
  process.exit(2);
});
