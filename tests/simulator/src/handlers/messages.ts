import type { BinaryNode } from '@whiskeysockets/baileys';
import { isChannelJid } from '../accounts/channels.ts';
import { groupIdOf } from '../accounts/group.ts';
import type { Connection } from '../connection.ts';
import { bytesOf, child, node } from '../wire/nodes.ts';

const DEFAULT_ACK_ERROR = 479;
const NOT_AN_ADMIN = 403;
const DEFAULT_LATE_ACK_MS = 1_000;

/** A client's message: taken, passed on and acknowledged, unless a fault says otherwise. */
export function handleMessage(connection: Connection, stanza: BinaryNode): void {
  const { device, simulator } = connection;
  if (!device) return;
  const arrivedAtMs = performance.timeOrigin + performance.now();
  const { faults } = simulator;
  const { number } = device.account;
  if (faults.take('cut_before_message', number)) {
    connection.cut();
    return;
  }
  if (faults.take('lost_message', number)) return;
  const refused = faults.take('ack_error', number);
  if (refused) {
    connection.send(acknowledgement(stanza, refused.code ?? DEFAULT_ACK_ERROR));
    return;
  }
  const { groups } = simulator.router;
  const isToGroup = groupIdOf(stanza.attrs.to) !== undefined;
  const channel = simulator.channels.at(stanza.attrs.to);
  const mayPost = channel ? channel.owner === device.account : !isChannelJid(stanza.attrs.to);
  const refusal = isToGroup
    ? groups.refusalOf(device.account, groups.at(stanza.attrs.to))
    : mayPost
      ? undefined
      : NOT_AN_ADMIN;
  if (refusal) {
    connection.send(acknowledgement(stanza, refusal));
    return;
  }
  simulator.router.message(device, stanza, arrivedAtMs);
  const post = channel && child(stanza, 'plaintext');
  if (post) channel.post(stanza.attrs.id ?? '', bytesOf(post) ?? Buffer.alloc(0));
  if (faults.take('cut_after_message', number)) {
    connection.cut();
    return;
  }
  if (faults.take('lost_ack', number)) return;
  const late = faults.take('late_ack', number);
  if (late) setTimeout(() => connection.send(acknowledgement(stanza)), late.ms ?? DEFAULT_LATE_ACK_MS);
  else connection.send(acknowledgement(stanza));
}

function acknowledgement(stanza: BinaryNode, error?: number): BinaryNode {
  const attrs: Record<string, string> = {
    class: 'message',
    id: stanza.attrs.id ?? '',
    from: stanza.attrs.to ?? '',
    t: Math.floor(Date.now() / 1000).toString(),
  };
  if (error !== undefined) attrs.error = String(error);
  return node('ack', attrs);
}
