import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import {
  assertMediaContent,
  downloadContentFromMessage,
  type MediaType,
  normalizeMessageContent,
  proto,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import { SessionClosedError } from '../close-signal.js';
import type { DownloadMedia, MediaDownloaded } from '../generated/ponte/bridge/v1/media.js';
import { describeError } from '../logger.js';

/** What downloading needs of a Baileys socket. */
export type DownloadingSocket = Pick<WASocket, 'updateMediaMessage' | 'refreshMediaConn'>;

/** The file is not on WhatsApp's hosts any more; its sender or our phone may still have it. */
const GONE_STATUSES = new Set([404, 410]);
const ASK_AGAIN_MS = 30_000;

const FILE_FIELDS: [keyof proto.IMessage, MediaType][] = [
  ['imageMessage', 'image'],
  ['videoMessage', 'video'],
  ['ptvMessage', 'video'],
  ['audioMessage', 'audio'],
  ['documentMessage', 'document'],
  ['stickerMessage', 'sticker'],
];

class RefusedError extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Writes the decrypted file of a received message to a path; asks the phone for it anew where it is gone. */
export async function downloadMedia(
  sock: DownloadingSocket,
  closeSignal: CloseSignal,
  command: DownloadMedia,
): Promise<MediaDownloaded> {
  const { requestId } = command;
  try {
    const { size, sha256 } = await closeSignal.race(download(sock, command));
    return { requestId, size, sha256, errorCode: '', detail: '' };
  } catch (error) {
    await rm(command.filePath, { force: true });
    return { requestId, size: 0, sha256: '', errorCode: codeOf(error), detail: describeError(error) };
  }
}

async function download(sock: DownloadingSocket, command: DownloadMedia) {
  const message = proto.Message.decode(command.messageProto);
  try {
    return await writeFile(message, command);
  } catch (error) {
    if (!GONE_STATUSES.has(statusOf(error))) throw error;
  }
  const key = {
    id: command.waMessageId,
    remoteJid: command.chatJid,
    fromMe: command.fromMe,
    ...(command.participantJid ? { participant: command.participantJid } : {}),
  };
  // Without it Baileys does not know the host that the file will be on.
  await sock.refreshMediaConn(false);
  const again = await inTime(sock.updateMediaMessage({ key, message } as WAMessage));
  return writeFile(again.message ?? {}, command);
}

async function writeFile(message: proto.IMessage, { filePath, maxBytes }: DownloadMedia) {
  const inner = normalizeMessageContent(message) ?? {};
  const type = FILE_FIELDS.find(([field]) => inner[field])?.[1];
  if (!type) throw new RefusedError('NO_FILE', 'the message carries no file');
  const media = assertMediaContent(inner.ptvMessage ? { videoMessage: inner.ptvMessage } : inner);
  if (Number(media.fileLength ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(filePath, 'w', 0o600);
  try {
    for await (const chunk of await downloadContentFromMessage(media, type)) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  const digest = hash.digest();
  // Baileys checks neither the authentication code nor the hash.
  if (media.fileSha256?.length && !digest.equals(media.fileSha256)) {
    throw new RefusedError('DAMAGED', 'the file is not the one that was sent');
  }
  return { size, sha256: digest.toString('hex') };
}

function tooLarge(maxBytes: number): RefusedError {
  return new RefusedError('TOO_LARGE', `the file has more than ${maxBytes} bytes`);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RefusedError('TIMED_OUT', 'the phone did not answer')), ASK_AGAIN_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function statusOf(error: unknown): number {
  const { output } = error as { output?: { statusCode?: number } };
  return output?.statusCode ?? 0;
}

function codeOf(error: unknown): string {
  if (error instanceof RefusedError) return error.code;
  if (error instanceof SessionClosedError) return 'NOT_CONNECTED';
  const status = statusOf(error);
  if (GONE_STATUSES.has(status)) return 'GONE';
  // Also a file that ends in the middle of a block.
  return (error as { code?: string }).code?.startsWith('ERR_OSSL') || status === 412 ? 'DAMAGED' : 'FAILED';
}
