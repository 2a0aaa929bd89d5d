import { Companion } from '../accounts/companion.ts';
import type { PhoneMessage } from '../accounts/messages.ts';
import type { Phone } from '../accounts/phone.ts';
import type { FileToSend } from '../accounts/phone-files.ts';
import { enterCode } from '../handlers/pairing-code.ts';
import { scan } from '../handlers/registration.ts';
import { FILE_KINDS, type FileKind } from '../media/cipher.ts';
import type { Call, Route } from './http.ts';
import {
  accountOf,
  invalid,
  phoneOf,
  readBoolean,
  readInteger,
  readNumber,
  readOptionalText,
  readText,
} from './input.ts';

const MAX_BULK = 100_000;
const MAX_FILE_BYTES = 2 ** 31 - 1;
const MAX_WAIT_MS = 120_000;
const DEFAULT_WAIT_MS = 30_000;
const HEARTBEAT_MS = 15_000;

export const phoneRoutes: Route[] = [
  { method: 'GET', path: /^\/phones$/, run: listPhones },
  { method: 'POST', path: /^\/phones$/, run: createPhone },
  { method: 'POST', path: /^\/phones:bulk$/, run: createPhones },
  { method: 'GET', path: /^\/phones\/([^/:]+)$/, run: (call) => phoneView(phoneOf(call)) },
  { method: 'PATCH', path: /^\/phones\/([^/:]+)$/, run: changePhone },
  { method: 'POST', path: /^\/phones\/([^/:]+):scan$/, run: scanCode },
  { method: 'POST', path: /^\/phones\/([^/:]+):enter-code$/, run: typeCode },
  { method: 'POST', path: /^\/phones\/([^/:]+):send$/, run: sendText },
  { method: 'POST', path: /^\/phones\/([^/:]+):send-file$/, run: sendFile },
  { method: 'POST', path: /^\/phones\/([^/:]+):read$/, run: markRead },
  { method: 'POST', path: /^\/phones\/([^/:]+):typing$/, run: showTyping },
  { method: 'GET', path: /^\/phones\/([^/:]+)\/messages$/, run: listMessages },
  { method: 'GET', path: /^\/phones\/([^/:]+)\/stream$/, run: streamMessages },
];

function phoneView(phone: Phone) {
  const { account } = phone;
  const companions = [...account.devices.values()].filter((device) => device instanceof Companion);
  return {
    phone_number: account.number,
    name: account.name,
    jid: account.jid(),
    lid: account.lidJid(),
    registered: account.registered,
    last_seq: phone.log.last,
    group_add: account.groupAdd,
    behaviour: phone.behaviour,
    devices: companions.map((device) => device.jid),
  };
}

function listPhones({ simulator }: Call) {
  return [...simulator.registry.all()].map(phoneView);
}

function createPhone({ simulator, body }: Call) {
  const number = readNumber(body.phone_number, 'phone_number');
  return phoneView(simulator.createPhone(number, readOptionalText(body, 'name')));
}

function createPhones({ simulator, body }: Call) {
  const count = readInteger(body.count, 'count', { min: 1, max: MAX_BULK, fallback: 1 });
  const start = BigInt(readNumber(body.start, 'start').slice(1));
  const numbers = Array.from({ length: count }, (_, index) => `+${start + BigInt(index)}`);
  for (const number of numbers) simulator.createPhone(number);
  return { count, phone_numbers: numbers };
}

function changePhone(call: Call) {
  const phone = phoneOf(call);
  const { behaviour, account } = phone;
  for (const [field, value] of Object.entries(call.body)) {
    switch (field) {
      case 'name':
        account.name = readText(call.body, 'name', 100);
        break;
      case 'registered':
        account.registered = readBoolean(value, field);
        break;
      case 'auto_delivery_receipt':
      case 'auto_read':
        behaviour[field] = readBoolean(value, field);
        break;
      case 'receipt_delay_ms':
        behaviour.receipt_delay_ms = readInteger(value, field, { max: 3_600_000, fallback: 0 });
        break;
      case 'addressing':
        if (value !== 'pn' && value !== 'lid') throw invalid(field, 'must be "pn" or "lid"');
        behaviour.addressing = value;
        break;
      case 'group_add':
        if (value !== 'all' && value !== 'contacts') throw invalid(field, 'must be "all" or "contacts"');
        account.groupAdd = value;
        break;
      case 'auto_reply':
        behaviour.auto_reply = readAutoReply(value);
        break;
      default:
        throw invalid(field, 'is not a setting of a phone');
    }
  }
  return phoneView(phone);
}

function readAutoReply(value: unknown): { text: string | null; delay_ms: number } {
  if (value === null) return { text: null, delay_ms: 0 };
  if (typeof value !== 'object') throw invalid('auto_reply', 'must be an object');
  const { text, delay_ms } = value as { text?: unknown; delay_ms?: unknown };
  if (text !== null && typeof text !== 'string') throw invalid('auto_reply.text', 'must be a text or null');
  const delay = readInteger(delay_ms, 'auto_reply.delay_ms', { max: 3_600_000, fallback: 0 });
  return { text, delay_ms: delay };
}

function scanCode(call: Call) {
  const jid = scan(phoneOf(call), call.simulator.waiting, readText(call.body, 'qr'));
  return { jid };
}

async function typeCode(call: Call) {
  const code = readText(call.body, 'code').replace('-', '').toUpperCase();
  return { jid: await enterCode(phoneOf(call), call.simulator.connections, code) };
}

async function sendText(call: Call) {
  const phone = phoneOf(call);
  const to = accountOf(call, call.body.to, 'to');
  const id = await phone.sendText(to, readText(call.body, 'text'), readOptionalText(call.body, 'id'));
  return { id };
}

async function sendFile(call: Call) {
  const { body } = call;
  const phone = phoneOf(call);
  const to = accountOf(call, body.to, 'to');
  return { id: await phone.sendFile(to, readFile(body), readOptionalText(body, 'id')) };
}

/** The file that a call describes. */
export function readFile(body: Record<string, unknown>): FileToSend {
  const kind = body.kind as FileKind;
  if (!FILE_KINDS.includes(kind)) throw invalid('kind', `must be one of ${FILE_KINDS.join(', ')}`);
  return {
    kind,
    path: readOptionalText(body, 'path'),
    size: readInteger(body.size, 'size', { min: 1, max: MAX_FILE_BYTES, fallback: 1 }),
    mime_type: readOptionalText(body, 'mime_type') ?? 'application/octet-stream',
    caption: readOptionalText(body, 'caption'),
    file_name: readOptionalText(body, 'file_name'),
    voice: body.voice !== undefined && readBoolean(body.voice, 'voice'),
  };
}

function markRead(call: Call) {
  const { body } = call;
  const contact = accountOf(call, body.from ?? body.chat, 'from');
  return { ids: phoneOf(call).markRead(contact, readIds(body)) };
}

export function readIds({ ids }: Record<string, unknown>): string[] | undefined {
  if (ids === undefined) return undefined;
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  throw invalid('ids', 'must be a list of message ids');
}

function showTyping(call: Call) {
  const typing = call.body.typing === undefined || readBoolean(call.body.typing, 'typing');
  phoneOf(call).sendTyping(accountOf(call, call.body.to, 'to'), typing);
  return { typing };
}

/** Messages after a number; with `wait_count` answers once there are so many, or with what there is in time. */
async function listMessages(call: Call) {
  const phone = phoneOf(call);
  const after = readInteger(call.query.get('after'), 'after', { fallback: 0 });
  const limit = readInteger(call.query.get('limit'), 'limit', { min: 1, fallback: MAX_BULK });
  const waitCount = readInteger(call.query.get('wait_count'), 'wait_count', { fallback: 0 });
  const includeSent = call.query.get('include_sent') === 'true';
  const from = call.query.has('from') ? readNumber(call.query.get('from'), 'from') : undefined;
  const wanted = (message: PhoneMessage) =>
    (includeSent || !message.sent_here) && (from === undefined || message.from === from);
  const read = () => phone.log.after(after).filter(wanted);
  if (waitCount > 0) {
    const options = { min: 1, max: MAX_WAIT_MS, fallback: DEFAULT_WAIT_MS };
    const timeoutMs = readInteger(call.query.get('timeout_ms'), 'timeout_ms', options);
    await waitFor(phone, call, waitCount - read().length, wanted, timeoutMs);
  }
  return read().slice(0, limit);
}

function waitFor(
  phone: Phone,
  call: Call,
  missing: number,
  wanted: (message: PhoneMessage) => boolean,
  timeoutMs: number,
): Promise<void> {
  if (missing <= 0) return Promise.resolve();
  let left = missing;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      phone.off('message', onMessage);
      call.response.off('close', done);
      resolve();
    };
    const onMessage = (message: PhoneMessage) => {
      if (wanted(message)) left -= 1;
      if (left <= 0) done();
    };
    const timer = setTimeout(done, timeoutMs);
    phone.on('message', onMessage);
    call.response.on('close', done);
  });
}

/** Server-sent events `message` and `status`, from now on. */
function streamMessages(call: Call): undefined {
  const phone = phoneOf(call);
  const { response } = call;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': connected\n\n');
  const push = (event: string) => (message: PhoneMessage) => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(message)}\n\n`);
  };
  const onMessage = push('message');
  const onStatus = push('status');
  phone.on('message', onMessage);
  phone.on('status', onStatus);
  const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(heartbeat);
    phone.off('message', onMessage);
    phone.off('status', onStatus);
  });
  return undefined;
}
