import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CERTIFICATE_FILE } from './media/server.ts';
import { DEFAULT_OPTIONS, Simulator } from './simulator.ts';

const HELP = `ponte-simulator: a WhatsApp server for tests and trials

  --host ADDRESS           address to listen on (127.0.0.1)
  --ws-port PORT           WhatsApp's WebSocket; 0 takes a free port (0)
  --http-port PORT         control API and page; 0 takes a free port (0)
  --exit-with-parent       end when standard input ends
  --receipt-delay-ms MS    wait before a phone's delivery receipt (${DEFAULT_OPTIONS.receiptDelayMs})
  --max-messages COUNT     messages that each phone remembers (${DEFAULT_OPTIONS.maxMessagesPerPhone})
  --max-arrivals COUNT     arrivals that the server remembers (${DEFAULT_OPTIONS.maxArrivals})
  --root-seed TEXT         seed of the root key, when it shall not be the default one
  --state-dir DIR          accepted and not used yet: everything is kept in memory
`;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: DEFAULT_OPTIONS.host },
    'ws-port': { type: 'string', default: '0' },
    'http-port': { type: 'string', default: '0' },
    'state-dir': { type: 'string' },
    'exit-with-parent': { type: 'boolean', default: false },
    'receipt-delay-ms': { type: 'string', default: String(DEFAULT_OPTIONS.receiptDelayMs) },
    'max-messages': { type: 'string', default: String(DEFAULT_OPTIONS.maxMessagesPerPhone) },
    'max-arrivals': { type: 'string', default: String(DEFAULT_OPTIONS.maxArrivals) },
    'root-seed': { type: 'string', default: DEFAULT_OPTIONS.rootSeed },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

// libsignal prints whole sessions, keys included, to the console; standard output is for the ready line.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
if (values['exit-with-parent']) {
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('close', () => process.exit(0));
  process.stdin.resume();
}

const simulator = new Simulator({
  host: values.host,
  wsPort: Number(values['ws-port']),
  httpPort: Number(values['http-port']),
  receiptDelayMs: Number(values['receipt-delay-ms']),
  maxMessagesPerPhone: Number(values['max-messages']),
  maxArrivals: Number(values['max-arrivals']),
  rootSeed: values['root-seed'],
  log: (line) => process.stderr.write(`${line}\n`),
});

try {
  await simulator.start();
} catch (error) {
  process.stderr.write(`cannot listen: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

const ready = {
  ready: true,
  ws_url: simulator.wsUrl,
  http_url: simulator.httpUrl,
  trust_anchor: fileURLToPath(new URL('../trust-anchor.mjs', import.meta.url)),
  media_certificate: CERTIFICATE_FILE,
  root_public_key: simulator.rootPublicKey.toString('hex'),
};
process.stdout.write(`${JSON.stringify(ready)}\n`);
