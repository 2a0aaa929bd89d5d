import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { children, iqResult, node } from '../wire/nodes.ts';
import { answerLinkCode } from './pairing-code.ts';

const PRIVACY = ['readreceipts', 'last', 'online', 'profile', 'status', 'groupadd', 'calladd', 'messages'];

/** Queries about the account itself: log-out, privacy, properties, and the empty lists of a new account. */
export function answerAccountQuery(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const request = children(iq)[0];
  switch (`${iq.attrs.xmlns}/${request?.tag}`) {
    case 'md/remove-companion-device':
      return logOut(connection, iq);
    case 'md/link_code_companion_reg':
      return answerLinkCode(connection, iq);
    case 'privacy/privacy':
      return iqResult(iq, [
        node(
          'privacy',
          {},
          PRIVACY.map((name) => node('category', { name, value: 'all' })),
        ),
      ]);
    case 'abt/props':
      return iqResult(iq, [node('props', { protocol: '1', hash: 'simulator' })]);
    case 'blocklist/undefined':
      return iqResult(iq, [node('list', {}, [])]);
    case 'privacy/tokens':
    case 'disappearing_mode/disappearing_mode':
    case 'urn:xmpp:whatsapp:dirty/clean':
    case 'w:stats/add':
      return iqResult(iq);
    default:
      return undefined;
  }
}

function logOut(connection: Connection, iq: BinaryNode): BinaryNode {
  const { device, simulator } = connection;
  if (device) setImmediate(() => simulator.unlink(device));
  return iqResult(iq);
}
