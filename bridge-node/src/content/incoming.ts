import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import { type Content, LinkPreview, type MediaRef, type Reference } from '../generated/ponte/v1/content.js';
import { readMenu } from './incoming-menus.js';
import { finite, moment, seconds, whole } from './numbers.js';
import { phoneNumbersOf } from './vcard.js';

export type Body = NonNullable<Content['body']>;

/** What stands beside the body of a message. */
type Context = proto.IContextInfo | null | undefined;

/** Of an unknown content, so that no event grows without bound; storage keeps all of it. */
const MOST_RAW_BYTES = 16_384;
const MAX_NESTING = 5;

/**
 * Reads what a message says. Any content that this version does not know comes back as `unknown`, with the
 * name of its field and its bytes.
 *
 * @param message the decrypted message, with whatever it is wrapped in
 */
export function readContent(message: proto.IMessage): Content {
  const inner = normalizeMessageContent(message) ?? {};
  const body = readBody(inner) ?? unknownBody(message, nameOf(inner));
  const context = contextOf(inner);
  return {
    body,
    replyTo: '',
    mentions: strings(context?.mentionedJid),
    mentionAll: (context?.nonJidMentions ?? 0) > 0,
    forwarded: context?.isForwarded === true,
    viewOnce: isViewOnce(message),
    expirationS: seconds(context?.expiration),
    reference: referenceOf(inner, context),
    albumWaMessageId: albumOf(message) || albumOf(inner),
    audience: [],
  };
}

/** A content that cannot be read: of a field of this name, or of bytes that are no message. */
export function unknownContent(message: proto.IMessage | Uint8Array, name: string): Content {
  return { ...EMPTY, body: unknownBody(message, name) };
}

/** It says no more than its words: what is not told beside the text need not be told. */
export function isPlainText({ body, ...rest }: Content): boolean {
  if (body?.$case !== 'text' || body.text.preview) return false;
  const isBare = rest.mentions.length === 0 && !rest.mentionAll && !rest.forwarded;
  return isBare && !rest.viewOnce && !rest.expirationS && !rest.reference;
}

/** The name of a kind as the orchestrator has it. */
export function kindOf(body: Body): string {
  return body.$case.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A content of which nothing is known yet. */
export const EMPTY: Content = {
  body: undefined,
  replyTo: '',
  mentions: [],
  mentionAll: false,
  forwarded: false,
  viewOnce: false,
  expirationS: 0,
  albumWaMessageId: '',
  audience: [],
};

function readBody(message: proto.IMessage): Body | undefined {
  return (
    readText(message) ??
    readMedia(message) ??
    readThing(message) ??
    readPoll(message) ??
    readChange(message) ??
    readMenu(message)
  );
}

function readText({ conversation, extendedTextMessage: text }: proto.IMessage): Body | undefined {
  if (conversation) return { $case: 'text', text: { body: conversation } };
  if (!text) return undefined;
  const url = text.matchedText ?? '';
  const preview =
    url && text.title
      ? LinkPreview.fromPartial({ url, title: text.title, description: text.description ?? '' })
      : undefined;
  return { $case: 'text', text: { body: text.text ?? '', preview } };
}

function readMedia(message: proto.IMessage): Body | undefined {
  const { imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage, stickerMessage } = message;
  if (imageMessage) {
    return { $case: 'image', image: { media: mediaOf(imageMessage), caption: imageMessage.caption ?? '' } };
  }
  const film = videoMessage ?? ptvMessage;
  if (film) {
    const media = mediaOf(film);
    const gif = film.gifPlayback === true;
    return { $case: 'video', video: { media, caption: film.caption ?? '', gif, round: film === ptvMessage } };
  }
  if (audioMessage?.ptt) {
    const waveform = Buffer.from(audioMessage.waveform ?? []);
    return { $case: 'voice', voice: { media: mediaOf(audioMessage), waveform } };
  }
  if (audioMessage) return { $case: 'audio', audio: { media: mediaOf(audioMessage) } };
  if (documentMessage) {
    const caption = documentMessage.caption ?? '';
    return { $case: 'document', document: { media: mediaOf(documentMessage), caption } };
  }
  if (!stickerMessage) return undefined;
  const animated = stickerMessage.isAnimated === true;
  return { $case: 'sticker', sticker: { media: mediaOf(stickerMessage), animated } };
}

interface FileFields {
  mimetype?: string | null;
  fileLength?: number | { toNumber(): number } | null;
  fileSha256?: Uint8Array | null;
  fileName?: string | null;
  width?: number | null;
  height?: number | null;
  seconds?: number | null;
}

function mediaOf(file: FileFields): MediaRef {
  return {
    mediaId: '',
    url: '',
    mimeType: file.mimetype ?? '',
    size: whole(file.fileLength),
    sha256: Buffer.from(file.fileSha256 ?? []).toString('hex'),
    fileName: file.fileName ?? '',
    width: whole(file.width),
    height: whole(file.height),
    seconds: whole(file.seconds),
  };
}

function readThing(message: proto.IMessage): Body | undefined {
  const { liveLocationMessage, contactMessage, contactsArrayMessage, eventMessage, groupInviteMessage } =
    message;
  if (message.locationMessage) {
    return { $case: 'location', location: locationOf(message.locationMessage) };
  }
  if (liveLocationMessage) {
    const location = { ...locationOf(liveLocationMessage), live: true };
    return { $case: 'location', location: { ...location, name: liveLocationMessage.caption ?? '' } };
  }
  const cards = contactMessage ? [contactMessage] : contactsArrayMessage?.contacts;
  if (cards) return { $case: 'contacts', contacts: { cards: cards.map(cardOf) } };
  if (groupInviteMessage) {
    const { groupJid, groupName, inviteCode, caption } = groupInviteMessage;
    const groupInvite = { groupJid: groupJid ?? '', groupName: groupName ?? '', code: inviteCode ?? '' };
    return { $case: 'groupInvite', groupInvite: { ...groupInvite, caption: caption ?? '' } };
  }
  if (eventMessage) return { $case: 'event', event: eventOf(eventMessage) };
  const { albumMessage } = message;
  if (!albumMessage) return undefined;
  const expectedImages = whole(albumMessage.expectedImageCount);
  return {
    $case: 'album',
    album: {
      items: [],
      messageIds: [],
      expectedImages,
      expectedVideos: whole(albumMessage.expectedVideoCount),
    },
  };
}

function locationOf(place: proto.Message.ILocationMessage) {
  return {
    latitude: finite(place.degreesLatitude),
    longitude: finite(place.degreesLongitude),
    name: place.name ?? '',
    address: place.address ?? '',
    url: place.url ?? '',
    live: place.isLive === true,
    accuracyM: whole(place.accuracyInMeters),
  };
}

function cardOf({ displayName, vcard }: proto.Message.IContactMessage) {
  const card = vcard ?? '';
  return { displayName: displayName ?? '', vcard: card, phoneNumbers: phoneNumbersOf(card) };
}

function eventOf(event: proto.Message.IEventMessage) {
  return {
    name: event.name ?? '',
    description: event.description ?? '',
    startAt: moment(event.startTime),
    endAt: moment(event.endTime),
    location: event.location ? locationOf(event.location) : undefined,
    joinLink: event.joinLink ?? '',
    canceled: event.isCanceled === true,
    extraGuestsAllowed: event.extraGuestsAllowed === true,
  };
}

/** The poll of a message; newer forms are wrapped once more. */
export function pollOf(message: proto.IMessage): proto.Message.IPollCreationMessage | undefined {
  const inner = normalizeMessageContent(message) ?? {};
  for (const [field, value] of Object.entries(inner)) {
    if (!field.startsWith('pollCreationMessage') || !value) continue;
    return (value as proto.Message.IFutureProofMessage).message
      ? pollOf((value as proto.Message.IFutureProofMessage).message as proto.IMessage)
      : (value as proto.Message.IPollCreationMessage);
  }
  return undefined;
}

function readPoll(message: proto.IMessage): Body | undefined {
  const poll = pollOf(message);
  if (!poll) return undefined;
  const options = (poll.options ?? []).map(({ optionName }) => optionName ?? '');
  const selectableCount = whole(poll.selectableOptionsCount);
  return { $case: 'poll', poll: { question: poll.name ?? '', options, selectableCount } };
}

const { Type: ProtocolType } = proto.Message.ProtocolMessage;
const { Type: PinType } = proto.Message.PinInChatMessage;

function readChange(message: proto.IMessage): Body | undefined {
  const { reactionMessage, protocolMessage, pinInChatMessage } = message;
  if (reactionMessage) {
    return { $case: 'reaction', reaction: { messageId: '', emoji: reactionMessage.text ?? '' } };
  }
  if (pinInChatMessage) {
    const durationS = whole(message.messageContextInfo?.messageAddOnDurationInSecs);
    const unpin = pinInChatMessage.type === PinType.UNPIN_FOR_ALL;
    return { $case: 'pin', pin: { messageId: '', durationS, unpin } };
  }
  switch (protocolMessage?.type) {
    case ProtocolType.REVOKE:
      return protocolMessage.key ? { $case: 'delete', delete: { messageId: '' } } : undefined;
    case ProtocolType.MESSAGE_EDIT:
      return { $case: 'edit', edit: { messageId: '', body: textOf(protocolMessage.editedMessage) } };
    case ProtocolType.EPHEMERAL_SETTING: {
      const after = seconds(protocolMessage.ephemeralExpiration);
      return { $case: 'disappearing', disappearing: { seconds: after } };
    }
    default:
      return undefined;
  }
}

function textOf(message: proto.IMessage | null | undefined): string {
  const inner = normalizeMessageContent(message) ?? {};
  const media = inner.imageMessage ?? inner.videoMessage ?? inner.documentMessage;
  return inner.conversation || inner.extendedTextMessage?.text || media?.caption || '';
}

/** The fields of a message that carry something, and so can have a context. */
function contextOf(message: proto.IMessage): Context {
  for (const value of Object.values(message)) {
    if (value && typeof value === 'object' && 'contextInfo' in value) return value.contextInfo as Context;
  }
  return undefined;
}

function referenceOf(message: proto.IMessage, context: Context): Reference | undefined {
  const key =
    message.reactionMessage?.key ??
    message.pinInChatMessage?.key ??
    message.protocolMessage?.key ??
    message.pollUpdateMessage?.pollCreationMessageKey;
  if (key?.id) {
    return { waMessageId: key.id, fromMe: key.fromMe === true, participant: key.participant ?? '' };
  }
  if (!context?.stanzaId) return undefined;
  return { waMessageId: context.stanzaId, fromMe: false, participant: context.participant ?? '' };
}

/** The id of the album that a picture or a film belongs to. */
function albumOf({ messageContextInfo }: proto.IMessage): string {
  const { associationType, parentMessageKey } = messageContextInfo?.messageAssociation ?? {};
  const isItem = associationType === proto.MessageAssociation.AssociationType.MEDIA_ALBUM;
  return (isItem && parentMessageKey?.id) || '';
}

function isViewOnce(message: proto.IMessage, depth = 0): boolean {
  if (message.viewOnceMessage || message.viewOnceMessageV2 || message.viewOnceMessageV2Extension) return true;
  if (message.imageMessage?.viewOnce || message.videoMessage?.viewOnce || message.audioMessage?.viewOnce)
    return true;
  const outer = message.ephemeralMessage ?? message.documentWithCaptionMessage;
  return outer?.message && depth < MAX_NESTING ? isViewOnce(outer.message, depth + 1) : false;
}

function nameOf(message: proto.IMessage): string {
  return getContentType(message) ?? Object.keys(message)[0] ?? 'unknown';
}

function unknownBody(message: proto.IMessage | Uint8Array, name: string): Body {
  const bytes = message instanceof Uint8Array ? message : proto.Message.encode(message).finish();
  const raw = bytes.length > MOST_RAW_BYTES ? Buffer.alloc(0) : Buffer.from(bytes);
  return { $case: 'unknown', unknown: { name, raw } };
}

function strings(values: (string | null)[] | null | undefined): string[] {
  return (values ?? []).filter((value): value is string => typeof value === 'string' && value !== '');
}
