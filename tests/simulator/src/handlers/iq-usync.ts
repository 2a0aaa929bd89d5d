import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import type { Connection } from '../connection.ts';
import { parseJid } from '../wire/jid.ts';
import { child, children, iqResult, node } from '../wire/nodes.ts';

/** User queries: is a number on WhatsApp, which devices does it have, what is its LID. */
export function answerUsync(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const usync = child(iq, 'usync');
  if (!usync) return undefined;
  const protocols = children(child(usync, 'query')).map((protocol) => protocol.tag);
  const users = children(child(usync, 'list')).flatMap((user) => answerUser(connection, user, protocols));
  const { context = 'interactive', mode = 'query', sid = '' } = usync.attrs;
  return iqResult(iq, [
    node('usync', { context, mode, sid, index: '0', last: 'true' }, [
      node(
        'result',
        {},
        protocols.map((tag) => node(tag)),
      ),
      node('list', {}, users),
    ]),
  ]);
}

function answerUser(connection: Connection, user: BinaryNode, protocols: string[]): BinaryNode[] {
  const contact = child(user, 'contact');
  const number = contact?.content?.toString().replace(/\D/g, '');
  if (contact && number) return [answerNumber(connection, number, protocols)];
  const account = connection.simulator.registry.accountAt(user.attrs.jid);
  const jid = parseJid(user.attrs.jid);
  if (!account || !jid) return [];
  return [userNode(account, jid.lid ? account.lidJid() : account.jid(), protocols)];
}

function answerNumber(connection: Connection, number: string, protocols: string[]): BinaryNode {
  const account = connection.simulator.registry.registered(number);
  if (account) return userNode(account, account.jid(), protocols);
  return node('user', { jid: `${number}@s.whatsapp.net` }, [node('contact', { type: 'out' }, `+${number}`)]);
}

/** `<lid>` is always there: without it Baileys fetches no keys and its sends fail. */
function userNode(account: Account, jid: string, protocols: string[]): BinaryNode {
  const content = [node('lid', { val: account.lidJid() })];
  if (protocols.includes('contact')) content.unshift(node('contact', { type: 'in' }, account.number));
  if (protocols.includes('devices')) content.push(devicesNode(account));
  if (protocols.includes('status')) content.push(node('status', { t: '0' }, ''));
  return node('user', { jid }, content);
}

/** Devices other than 0 need a key index, or Baileys leaves them out. */
function devicesNode(account: Account): BinaryNode {
  const devices = [...account.devices.keys()].map((id) =>
    node('device', id === 0 ? { id: '0' } : { id: String(id), 'key-index': String(id) }),
  );
  return node('devices', {}, [node('device-list', {}, devices)]);
}
