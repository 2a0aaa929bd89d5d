import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { bytesOf, child, iqResult, node } from '../wire/nodes.ts';

const TAG_BYTES = 16;
const HOSTS_LIVE_S = '300';

/** Tells a client where to upload to. */
export function answerMediaConnection({ simulator }: Connection, iq: BinaryNode): BinaryNode {
  const hostname = new URL(simulator.mediaUrl).host;
  const host = node('host', { hostname, maxContentLengthBytes: String(2 ** 31) });
  return iqResult(iq, [node('media_conn', { auth: 'auth', ttl: HOSTS_LIVE_S }, [host])]);
}

/**
 * A client could not download a file and asks its phone to upload it again: the phone's answer comes as a
 * notification, encrypted with a key of the file's own.
 */
export function handleMediaRequest(connection: Connection, receipt: BinaryNode): void {
  const { device, simulator } = connection;
  const id = receipt.attrs.id ?? '';
  const rmr = child(receipt, 'rmr');
  if (!device || !rmr) return;
  simulator.stats.mediaRequests += 1;
  const sent = simulator.media.sentWith(id);
  const attrs = {
    id,
    from: device.account.jid(),
    type: 'mediaretry',
    t: String(Math.floor(Date.now() / 1000)),
  };
  const reply = (content: BinaryNode) =>
    connection.send(node('notification', attrs, [node('rmr', rmr.attrs), content]));
  const isAsked = sent && asksFor(receipt, sent.sealed.mediaKey, id);
  const path = isAsked && !simulator.faults.take('media_gone') ? simulator.media.again(sent.path) : undefined;
  if (!sent || !path) {
    reply(node('error', { code: String(proto.MediaRetryNotification.ResultType.NOT_FOUND) }));
    return;
  }
  const result = proto.MediaRetryNotification.ResultType.SUCCESS;
  const answer = proto.MediaRetryNotification.encode({ stanzaId: id, directPath: path, result }).finish();
  const { ciphertext, iv } = seal(answer, sent.sealed.mediaKey, id);
  reply(node('encrypt', {}, [node('enc_p', {}, ciphertext), node('enc_iv', {}, iv)]));
}

function asksFor(receipt: BinaryNode, mediaKey: Buffer, id: string): boolean {
  const encrypted = child(receipt, 'encrypt');
  const [ciphertext, iv] = [bytesOf(child(encrypted, 'enc_p')), bytesOf(child(encrypted, 'enc_iv'))];
  if (!ciphertext || !iv) return false;
  const decipher = createDecipheriv('aes-256-gcm', retryKey(mediaKey), iv);
  decipher.setAAD(Buffer.from(id)).setAuthTag(ciphertext.subarray(-TAG_BYTES));
  try {
    const bytes = Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(bytes).stanzaId === id;
  } catch {
    return false;
  }
}

function seal(plain: Uint8Array, mediaKey: Buffer, id: string): { ciphertext: Buffer; iv: Buffer } {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', retryKey(mediaKey), iv).setAAD(Buffer.from(id));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { ciphertext, iv };
}

function retryKey(mediaKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), 'WhatsApp Media Retry Notification', 32));
}
