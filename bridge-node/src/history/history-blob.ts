import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { downloadContentFromMessage, type MediaType, proto } from '@whiskeysockets/baileys';

/** WhatsApp's parts have a few MB; more is refused before it fills the process. */
const MOST_BYTES = 128 << 20;
const MOST_DEFLATED_BYTES = 32 << 20;

/**
 * Fetches a part of a history, or takes it out of its notification, and inflates it. Rejects where it is gone, broken or
 * larger than anything that WhatsApp sends.
 */
export async function loadHistory(
  notification: proto.Message.IHistorySyncNotification,
): Promise<proto.IHistorySync> {
  const inline = notification.initialHistBootstrapInlinePayload;
  const deflated = inline?.length ? inline : await download(notification);
  if (deflated.length > MOST_DEFLATED_BYTES) throw new Error(`it has more than ${MOST_DEFLATED_BYTES} bytes`);
  return proto.HistorySync.decode(await promisify(inflate)(deflated, { maxOutputLength: MOST_BYTES }));
}

async function download(notification: proto.Message.IHistorySyncNotification): Promise<Uint8Array> {
  const type: MediaType = 'md-msg-hist';
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of await downloadContentFromMessage(notification, type)) {
    size += (piece as Buffer).length;
    if (size > MOST_DEFLATED_BYTES) throw new Error(`it has more than ${MOST_DEFLATED_BYTES} bytes`);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
