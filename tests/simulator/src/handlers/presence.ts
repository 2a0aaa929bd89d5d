import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { node } from '../wire/nodes.ts';

/** Typing goes to the chat; a push name is kept; a subscription is answered with "available". */
export function handlePresence(connection: Connection, stanza: BinaryNode): void {
  const { device, simulator } = connection;
  if (!device) return;
  simulator.activity.note(device.account.number, stanza);
  if (stanza.tag === 'chatstate') {
    simulator.router.chatState(device, stanza);
    return;
  }
  const { name, type, to } = stanza.attrs;
  if (name) device.account.name = name;
  if (type === 'subscribe' && to) connection.send(node('presence', { from: to, type: 'available' }));
}
