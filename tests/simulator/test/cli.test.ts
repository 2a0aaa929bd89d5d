import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { Json } from './world.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(args: string[], command = ['--import', 'tsx', 'src/main.ts']) {
  const child = spawn(process.execPath, [...command, ...args], { cwd: folder, stdio: 'pipe' });
  children.push(child);
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const lines: string[] = [];
  const ready = new Promise<Json>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (lines.length === 1) resolve(JSON.parse(line));
    });
  });
  return { child, ended, ready, lines };
}

test('it prints one ready line, answers, and ends at SIGTERM', async () => {
  const { child, ended, ready, lines } = start([]);
  const line = await ready;
  expect(line).toMatchObject({ ready: true, trust_anchor: `${folder}trust-anchor.mjs` });
  expect(line.ws_url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws\/chat$/);
  expect(line.root_public_key).toMatch(/^[0-9a-f]{64}$/);
  const health = await fetch(`${line.http_url}/healthz`);
  expect(await health.json()).toEqual({ status: 'ok' });
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(lines).toHaveLength(1);
});

test('the installed command starts it too', async () => {
  const { ready } = start([], ['bin/ponte-simulator.mjs']);
  expect((await ready).ready).toBe(true);
});

test('with --exit-with-parent it ends when its standard input ends', async () => {
  const { child, ended, ready } = start(['--exit-with-parent']);
  await ready;
  child.stdin?.end();
  expect(await ended).toBe(0);
});

test('a port that is taken ends it with one sentence', async () => {
  const first = start([]);
  const port = new URL((await first.ready).http_url).port;
  const second = start(['--http-port', port]);
  let errors = '';
  second.child.stderr?.on('data', (data) => {
    errors += data;
  });
  expect(await second.ended).toBe(1);
  expect(errors).toMatch(/^cannot listen: .*EADDRINUSE.*\n$/);
});

test('the trust anchor does nothing in a process without Baileys', async () => {
  const anchor = `${folder}trust-anchor.mjs`;
  const child = spawn(process.execPath, ['--import', anchor, '-e', 'console.log("fine")'], { cwd: '/' });
  children.push(child);
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  await new Promise((resolve) => child.on('exit', resolve));
  expect(output).toBe('fine\n');
});

test('the trust anchor sets the key that a program trusts, the given one or the default', async () => {
  const trusted = async (env: Record<string, string>) => {
    const program =
      'import("@whiskeysockets/baileys").then(b => console.log(b.WA_CERT_DETAILS.PUBLIC_KEY.toString("hex")))';
    const child = spawn(process.execPath, ['-e', program], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: `--import ${folder}trust-anchor.mjs`, ...env },
    });
    children.push(child);
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    await new Promise((resolve) => child.on('exit', resolve));
    return output.trim();
  };
  const { rootKeys, DEFAULT_ROOT_SEED } = await import('../src/wire/certificates.ts');
  expect(await trusted({})).toBe(rootKeys(DEFAULT_ROOT_SEED).publicKey.toString('hex'));
  expect(await trusted({ PONTE_SIMULATOR_ROOT_KEY: '11'.repeat(32) })).toBe('11'.repeat(32));
});
