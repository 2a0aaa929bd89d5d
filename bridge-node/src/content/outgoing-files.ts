import {
  generateWAMessageFromContent,
  isJidNewsletter,
  type MiscMessageGenerationOptions,
  prepareWAMessageMedia,
  proto,
  type WAMediaUploadFunction,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { boundedMap } from '../bounded-map.js';
import type { MediaFile } from '../generated/ponte/bridge/v1/bridge.js';
import type { Content, MediaRef } from '../generated/ponte/v1/content.js';

/** The server did not take a file: nothing of the message was sent. */
export class UploadFailedError extends Error {}

/** Where a file was uploaded to, and its keys: the same for every message that carries it. */
type Uploaded = Pick<
  proto.Message.IDocumentMessage,
  'url' | 'directPath' | 'mediaKey' | 'fileEncSha256' | 'fileSha256' | 'fileLength' | 'mediaKeyTimestamp'
>;

type Kind = 'image' | 'video' | 'audio' | 'document' | 'sticker';

interface FileMessage {
  kind: Kind;
  media: MediaRef;
  /** What the message says beside the file. */
  fields: Record<string, unknown>;
  round: boolean;
}

const MAX_UPLOADED = 500;
/** A campaign sends one file to many: WhatsApp keeps an upload for days. */
const UPLOAD_LIVES_MS = 60 * 60_000;
const UPLOAD_TIMEOUT_MS = 15 * 60_000;

/** Uploads the files of messages, each once. */
export class FileUploads {
  readonly #uploaded = boundedMap<string, Promise<Uploaded>>({ most: MAX_UPLOADED, ttlMs: UPLOAD_LIVES_MS });

  constructor(readonly upload: WAMediaUploadFunction) {}

  /**
   * Makes the message of a content that carries a file; undefined for any other content.
   *
   * @throws UploadFailedError
   */
  async compose(
    chatJid: string,
    content: Content,
    [file]: readonly MediaFile[],
    options: MiscMessageGenerationOptions & { messageId: string; userJid: string },
  ): Promise<WAMessage | undefined> {
    const found = readFile(content, file?.thumbnail ?? Buffer.alloc(0));
    if (!found || !file) return undefined;
    const { kind, media, fields, round } = found;
    const uploaded = await this.#uploadOnce(kind, media.sha256, file.filePath, chatJid);
    const message = { ...uploaded, ...fields, mimetype: media.mimeType, ...contextOf(content) };
    const inner: proto.IMessage = {
      ...(round ? { ptvMessage: message } : { [`${kind}Message`]: message }),
      ...inAlbum(chatJid, content.albumWaMessageId),
    };
    const whole = content.viewOnce ? { viewOnceMessage: { message: inner } } : inner;
    return generateWAMessageFromContent(chatJid, proto.Message.fromObject(whole), options);
  }

  /** A channel's files are not encrypted: those of all chats but channels are the same. */
  #uploadOnce(kind: Kind, sha256: string, path: string, chatJid: string): Promise<Uploaded> {
    const plainFor = isJidNewsletter(chatJid) ? chatJid : undefined;
    const key = `${plainFor ? 'plain/' : ''}${kind}/${sha256 || path}`;
    const known = this.#uploaded.get(key);
    if (known) return known;
    const uploading = this.#uploadFile(kind, path, plainFor);
    this.#uploaded.set(key, uploading);
    uploading.catch(() => this.#uploaded.delete(key));
    return uploading;
  }

  async #uploadFile(kind: Kind, path: string, plainFor: string | undefined): Promise<Uploaded> {
    try {
      // Given a length and a thumbnail, Baileys neither decodes the file nor keeps a second copy of it.
      const content = { [kind]: { url: path }, seconds: 0, jpegThumbnail: '' };
      const message = await prepareWAMessageMedia(content as unknown as { image: { url: string } }, {
        upload: this.upload,
        mediaUploadTimeoutMs: UPLOAD_TIMEOUT_MS,
        ...(plainFor ? { jid: plainFor } : {}),
      });
      const made = message[`${kind}Message`];
      if (!made) throw new Error('Baileys made no message of the file');
      const { url, directPath, mediaKey, fileEncSha256, fileSha256, fileLength, mediaKeyTimestamp } = made;
      return { url, directPath, mediaKey, fileEncSha256, fileSha256, fileLength, mediaKeyTimestamp };
    } catch (error) {
      throw new UploadFailedError(error instanceof Error ? error.message : String(error));
    }
  }
}

function readFile({ body }: Content, jpegThumbnail: Buffer): FileMessage | undefined {
  switch (body?.$case) {
    case 'image': {
      const { media, caption } = body.image;
      return media && file('image', media, { ...sizeOf(media), ...captioned(caption), jpegThumbnail });
    }
    case 'video': {
      const { media, caption, gif, round } = body.video;
      const playing = { seconds: media?.seconds, ...(gif ? { gifPlayback: true } : {}) };
      const fields = { ...(media && sizeOf(media)), ...playing, ...captioned(caption), jpegThumbnail };
      return media && file('video', media, fields, round);
    }
    case 'audio':
      return body.audio.media && file('audio', body.audio.media, { seconds: body.audio.media.seconds });
    case 'voice': {
      const { media, waveform } = body.voice;
      return media && file('audio', media, { seconds: media.seconds, ptt: true, waveform });
    }
    case 'document': {
      const { media, caption } = body.document;
      const fileName = media?.fileName || 'file';
      return media && file('document', media, { fileName, title: fileName, ...captioned(caption) });
    }
    case 'sticker': {
      const { media, animated } = body.sticker;
      return media && file('sticker', media, { ...sizeOf(media), isAnimated: animated });
    }
    default:
      return undefined;
  }
}

function file(kind: Kind, media: MediaRef, fields: Record<string, unknown>, round = false): FileMessage {
  return { kind, media, fields, round };
}

function sizeOf({ width, height }: MediaRef): { width?: number; height?: number } {
  return width && height ? { width, height } : {};
}

function captioned(caption: string): { caption?: string } {
  return caption ? { caption } : {};
}

/** Names the album that a picture or a film is shown in; as Baileys does with its `albumParentKey`. */
function inAlbum(chatJid: string, id: string): proto.IMessage {
  if (!id) return {};
  const associationType = proto.MessageAssociation.AssociationType.MEDIA_ALBUM;
  const parentMessageKey = { remoteJid: chatJid, fromMe: true, id };
  return { messageContextInfo: { messageAssociation: { associationType, parentMessageKey } } };
}

function contextOf({ mentions, forwarded }: Content): { contextInfo?: proto.IContextInfo } {
  if (mentions.length === 0 && !forwarded) return {};
  const mentionedJid = mentions.map((mention) =>
    mention.includes('@') ? mention : `${mention.replace(/\D/g, '')}@s.whatsapp.net`,
  );
  return { contextInfo: { mentionedJid, ...(forwarded ? { isForwarded: true, forwardingScore: 1 } : {}) } };
}
