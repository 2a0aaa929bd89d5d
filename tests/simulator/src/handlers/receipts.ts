import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { children, node } from '../wire/nodes.ts';
import { handleMediaRequest } from './media.ts';

/** A client's receipt: takes the message off its queue, goes on to the sender, and is acknowledged. */
export function handleReceipt(connection: Connection, stanza: BinaryNode): void {
  const { device, simulator } = connection;
  if (!device) return;
  const { id = '', to, type, participant } = stanza.attrs;
  if (type === 'server-error') handleMediaRequest(connection, stanza);
  else {
    if (type === 'retry') device.acknowledgeForRetry(stanza);
    else acknowledgeMessages(connection, stanza);
    simulator.router.receipt(device, stanza);
  }
  const attrs: Record<string, string> = { class: 'receipt', id };
  if (to) attrs.from = to;
  if (type) attrs.type = type;
  if (participant) attrs.participant = participant;
  connection.send(node('ack', attrs));
}

function acknowledgeMessages({ device }: Connection, stanza: BinaryNode): void {
  const { id, to, participant } = stanza.attrs;
  const ids = [id, ...children(children(stanza)[0]).map((item) => item.attrs.id)];
  for (const acknowledged of ids) {
    if (!acknowledged) continue;
    const attrs = {
      class: 'message',
      id: acknowledged,
      ...(to ? { to } : {}),
      ...(participant ? { participant } : {}),
    };
    device?.acknowledge(node('ack', attrs));
  }
}
