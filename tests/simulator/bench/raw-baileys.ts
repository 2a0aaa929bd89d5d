import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import '../trust-anchor.mjs';
import { Client } from '../test/client.ts';
import { waitUntil } from '../test/wait.ts';

/**
 * What raw Baileys does against the simulator, which runs in a process of its own, as in all uses.
 * Prints one JSON line: pairing, one text after the other, many in flight, incoming texts.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '500' },
    sessions: { type: 'string', default: '1' },
    profile: { type: 'boolean', default: false },
  },
});
for (const method of ['info', 'warn', 'error'] as const) console[method] = () => undefined;

const COUNT = Number(values.count);
const SESSIONS = Number(values.sessions);
const CONTACT = '+5511977770000';
const folder = fileURLToPath(new URL('..', import.meta.url));

const profile = values.profile ? ['--cpu-prof', '--cpu-prof-dir=/tmp/simulator-profile'] : [];
const simulator = spawn(
  process.execPath,
  [...profile, '--import', 'tsx', 'src/main.ts', '--exit-with-parent', '--max-messages', '100000'],
  { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] },
);
const [line] = (await once(createInterface({ input: simulator.stdout }), 'line')) as [string];
const { ws_url, http_url } = JSON.parse(line) as { ws_url: string; http_url: string };

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(http_url + path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  return response.json();
}

const numbers = Array.from(
  { length: SESSIONS },
  (_, index) => `+55119666600${String(index).padStart(2, '0')}`,
);
for (const number of [...numbers, CONTACT]) await call('POST', '/phones', { phone_number: number });

const pairingMs: number[] = [];
const clients: Client[] = [];
for (const number of numbers) {
  const client = new Client(ws_url, { fireInitQueries: true });
  const begin = performance.now();
  await client.pair((qr) => call('POST', `/phones/${number}:scan`, { qr }));
  pairingMs.push(performance.now() - begin);
  clients.push(client);
}

const acknowledged = new Map<string, () => void>();
for (const client of clients) {
  client.socket.ws.on('CB:ack,class:message', ({ attrs }: { attrs: { id: string } }) => {
    acknowledged.get(attrs.id)?.();
  });
}
let nextId = 0;
function send(client: Client): Promise<void> {
  const id = `BENCH${++nextId}`;
  const acked = new Promise<void>((resolve) => acknowledged.set(id, resolve));
  return client.sendText(CONTACT, 'a text of a usual length, some forty letters', id).then(() => acked);
}

for (const client of clients) await send(client);
const sequential: number[] = [];
for (let index = 0; index < COUNT; index++) {
  const begin = performance.now();
  await send(clients[index % SESSIONS] as Client);
  sequential.push(performance.now() - begin);
}

async function worker(client: Client, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await send(client);
}
const IN_FLIGHT = 32;
const flightBegin = performance.now();
const each = Math.ceil(COUNT / IN_FLIGHT);
await Promise.all(clients.flatMap((client) => Array.from({ length: IN_FLIGHT }, () => worker(client, each))));
const flightMs = performance.now() - flightBegin;

const texts = Array.from({ length: COUNT }, (_, index) => ({
  from: CONTACT,
  to: numbers[index % SESSIONS],
  text: `in ${index}`,
}));
let received = 0;
for (const client of clients) {
  client.socket.ev.on('messages.upsert', ({ messages }) => {
    received += messages.filter((message) => message.message?.conversation?.startsWith('in ')).length;
  });
}
const inboundBegin = performance.now();
await call('POST', '/messages:bulk', { messages: texts });
await waitUntil(() => received >= COUNT, 'incoming texts', 120_000);
const inboundMs = performance.now() - inboundBegin;

const sorted = sequential.sort((a, b) => a - b);
const round = (value: number) => Math.round(value * 100) / 100;
const at = (share: number) => round(sorted[Math.floor(sorted.length * share)] ?? 0);
process.stdout.write(
  `${JSON.stringify({
    sessions: SESSIONS,
    count: COUNT,
    pairing_ms: pairingMs.map(Math.round),
    sequential_ms: {
      p50: at(0.5),
      p95: at(0.95),
      mean: round(sorted.reduce((a, b) => a + b, 0) / sorted.length),
    },
    in_flight_per_second: Math.round((each * IN_FLIGHT * SESSIONS * 1000) / flightMs),
    inbound_per_second: Math.round((COUNT * 1000) / inboundMs),
  })}\n`,
);
simulator.kill('SIGINT');
process.exit(0);
