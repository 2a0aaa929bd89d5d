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
      return handleIq(connection, stanza);
    case 'message':
      return handleMessage(connection, stanza);
    case 'receipt':
      return handleReceipt(connection, stanza);
    case 'ack':
      return connection.device?.acknowledge(stanza);
    case 'chatstate':
    case 'presence':
      return handlePresence(connection, stanza);
  }
}
