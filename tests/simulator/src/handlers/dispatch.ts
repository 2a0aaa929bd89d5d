import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { handleIq } from './iq.ts';
import { handleMessage } from './messages.ts';
import { handlePresence } from './presence.ts';
import { handleReceipt } from './receipts.ts';

/** Gives a client's stanza to its handler. Others are ignored, as a server ignores telemetry. */
export function dispatch(connection: Connection, stanza: BinaryNode): void {
  switch (stanza.tag) {
    case 'iq':
      handleIq(connection, stanza);
      break;
    case 'message':
      handleMessage(connection, stanza);
      break;
    case 'receipt':
      if (connection.device) connection.simulator.activity.note(connection.device.account.number, stanza);
      handleReceipt(connection, stanza);
      break;
    case 'ack':
      connection.device?.acknowledge(stanza);
      break;
    case 'chatstate':
    case 'presence':
      handlePresence(connection, stanza);
      break;
  }
}
