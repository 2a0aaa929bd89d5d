import type { proto } from '@whiskeysockets/baileys';
import type { Group } from '../accounts/group.ts';
import type { PhoneMessage } from '../accounts/messages.ts';
import type { Phone } from '../accounts/phone.ts';
import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';
import { accountOf, invalid, readOptionalText, readText } from './input.ts';
import { groupOf } from './routes-groups.ts';
import { readFile, readIds } from './routes-phones.ts';

/** What phones say in groups. */
export const groupMessageRoutes: Route[] = [
  { method: 'POST', path: /^\/groups\/([^/:]+):send$/, run: sendText },
  { method: 'POST', path: /^\/groups\/([^/:]+):send-file$/, run: sendFile },
  { method: 'POST', path: /^\/groups\/([^/:]+):react$/, run: react },
  { method: 'POST', path: /^\/groups\/([^/:]+):read$/, run: markRead },
];

async function sendText(call: Call) {
  const { phone, group } = speaker(call);
  const text = readText(call.body, 'text');
  const mentionedJid = readNumbers(call, group);
  const quoted = readOptionalText(call.body, 'quote');
  const quote = quoted === undefined ? {} : quoteOf(call, group, known(phone, group, quoted));
  const message: proto.IMessage =
    mentionedJid.length === 0 && quoted === undefined
      ? { conversation: text }
      : { extendedTextMessage: { text, contextInfo: { mentionedJid, ...quote } } };
  const id = readOptionalText(call.body, 'id');
  return { id: await phone.send(group, message, { kind: 'text', text }, id) };
}

async function sendFile(call: Call) {
  const { phone, group } = speaker(call);
  return { id: await phone.sendFile(group, readFile(call.body), readOptionalText(call.body, 'id')) };
}

/** An empty emoji takes the reaction back. */
async function react(call: Call) {
  const { phone, group } = speaker(call);
  const { emoji } = call.body;
  if (typeof emoji !== 'string') throw invalid('emoji', 'must be a text');
  const { id, from } = known(phone, group, readText(call.body, 'message_id'));
  const key = {
    remoteJid: group.jid,
    id,
    fromMe: from === phone.account.number,
    participant: group.address(accountOf(call, from, 'message_id')),
  };
  const message = { reactionMessage: { key, text: emoji, senderTimestampMs: Date.now() } };
  return { id: await phone.send(group, message, { kind: 'reaction', text: emoji }) };
}

function markRead(call: Call) {
  const { phone, group } = speaker(call);
  return { ids: phone.markRead(group, readIds(call.body)) };
}

function speaker(call: Call): { phone: Phone; group: Group } {
  const group = groupOf(call);
  const account = accountOf(call, call.body.by, 'by');
  const code = call.simulator.router.groups.refusalOf(account, group);
  if (code) throw new ApiError(409, 'GROUP_REFUSED', `The server refuses this: ${code}.`);
  const phone = call.simulator.registry.phone(account.number);
  if (!phone) throw new ApiError(404, 'PHONE_NOT_FOUND', 'There is no virtual phone with this number.');
  return { phone, group };
}

function known(phone: Phone, group: Group, id: string): PhoneMessage {
  const found = phone.log.after(0).findLast((entry) => entry.group === group.jid && entry.id === id);
  if (!found) throw new ApiError(404, 'MESSAGE_NOT_FOUND', 'This phone has no such message of this group.');
  return found;
}

function quoteOf(call: Call, group: Group, { id, from, text }: PhoneMessage): proto.IContextInfo {
  const participant = group.address(accountOf(call, from, 'quote'));
  return { stanzaId: id, participant, quotedMessage: { conversation: text ?? '' } };
}

function readNumbers(call: Call, group: Group): string[] {
  const { mentions = [] } = call.body;
  if (!Array.isArray(mentions)) throw invalid('mentions', 'must be a list of numbers');
  return mentions.map((number) => group.address(accountOf(call, number, 'mentions')));
}
