import type { AnyMessageContent, MiscMessageGenerationOptions, WAMessage } from '@whiskeysockets/baileys';
import { isJidGroup, proto } from '@whiskeysockets/baileys';
import type { Content, LinkPreview, LocationContent, PinContent } from '../generated/ponte/v1/content.js';
import type { StoredProto } from './poll-votes.js';
import { vcardOf } from './vcard.js';

/** Whom a status is shown to; nobody for any other message. */
export function audienceOf({ audience }: Content): string[] {
  return audience.map(toJid);
}

/** What `sendMessage` takes. */
export interface Composed {
  content: AnyMessageContent;
  options: MiscMessageGenerationOptions;
}

const PIN_DURATION_S = 86_400;

/** Says a content in Baileys' words; undefined for a kind that is not sent this way. */
export async function compose(
  chatJid: string,
  content: Content,
  stored: StoredProto,
): Promise<Composed | undefined> {
  const body = bodyOf(chatJid, content);
  if (!body) return undefined;
  const mentions = content.mentions.map(toJid);
  const options: MiscMessageGenerationOptions = {};
  if (content.audience.length > 0) options.statusJidList = audienceOf(content);
  if (content.expirationS) options.ephemeralExpiration = content.expirationS;
  if (content.replyTo && content.reference) options.quoted = await quotedMessage(chatJid, content, stored);
  return {
    content: {
      ...body,
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(content.forwarded ? { contextInfo: { isForwarded: true, forwardingScore: 1 } } : {}),
    } as AnyMessageContent,
    options,
  };
}

function bodyOf(chatJid: string, { body, reference }: Content): AnyMessageContent | undefined {
  switch (body?.$case) {
    case 'text': {
      // linkPreview null: Baileys would fetch the text's first URL.
      const { preview } = body.text;
      const linkPreview = preview ? urlInfo(preview) : null;
      return { text: body.text.body, linkPreview };
    }
    case 'location':
      return { location: toLocation(body.location) };
    case 'contacts': {
      const contacts = body.contacts.cards.map((card) => ({
        displayName: card.displayName,
        vcard: vcardOf(card),
      }));
      return { contacts: { displayName: `${contacts.length}`, contacts } };
    }
    case 'poll': {
      const { question, options, selectableCount } = body.poll;
      return { poll: { name: question, values: options, selectableCount } };
    }
    case 'event': {
      const { name, description, startAt, endAt, location, extraGuestsAllowed, canceled } = body.event;
      if (!startAt) return undefined;
      const place = location && toLocation(location);
      return {
        event: {
          name,
          description,
          startDate: wholeSecond(startAt),
          ...(endAt ? { endDate: wholeSecond(endAt) } : {}),
          ...(place ? { location: place } : {}),
          extraGuestsAllowed,
          isCancelled: canceled,
        },
      };
    }
    case 'album': {
      const { expectedImages, expectedVideos } = body.album;
      return { album: { expectedImageCount: expectedImages, expectedVideoCount: expectedVideos } };
    }
    case 'disappearing':
      return { disappearingMessagesInChat: body.disappearing.seconds };
    default:
      return reference ? aboutMessage(body, keyOf(chatJid, reference)) : undefined;
  }
}

function aboutMessage(body: Content['body'], key: proto.IMessageKey): AnyMessageContent | undefined {
  switch (body?.$case) {
    case 'reaction':
      return { react: { text: body.reaction.emoji, key } };
    case 'edit':
      return { text: body.edit.body, edit: key, linkPreview: null };
    case 'delete':
      return { delete: key };
    case 'pin':
      return pinOf(body.pin, key);
    default:
      return undefined;
  }
}

function pinOf({ unpin, durationS }: PinContent, key: proto.IMessageKey): AnyMessageContent {
  const type = unpin ? proto.PinInChat.Type.UNPIN_FOR_ALL : proto.PinInChat.Type.PIN_FOR_ALL;
  return { pin: key, type, time: (durationS || PIN_DURATION_S) as 86400 };
}

function keyOf(chatJid: string, reference: NonNullable<Content['reference']>): proto.IMessageKey {
  const { waMessageId: id, fromMe, participant } = reference;
  return { remoteJid: chatJid, id, fromMe, ...(isJidGroup(chatJid) && participant ? { participant } : {}) };
}

/** WhatsApp shows a quote from what the answer carries; without the message it shows an empty one. */
export async function quotedMessage(
  chatJid: string,
  content: Content,
  stored: StoredProto,
): Promise<WAMessage> {
  const reference = content.reference as NonNullable<Content['reference']>;
  const bytes = await stored(reference.waMessageId);
  const message = bytes ? proto.Message.decode(bytes) : proto.Message.create({ conversation: '' });
  return { key: keyOf(chatJid, reference), message } as WAMessage;
}

function urlInfo({ url, title, description, thumbnail }: LinkPreview) {
  const picture = thumbnail.length > 0 ? { jpegThumbnail: Buffer.from(thumbnail) } : {};
  return { 'canonical-url': url, 'matched-text': url, title, description, ...picture };
}

function toLocation({ latitude, longitude, name, address, url }: LocationContent) {
  return {
    degreesLatitude: latitude,
    degreesLongitude: longitude,
    ...(name ? { name } : {}),
    ...(address ? { address } : {}),
    ...(url ? { url } : {}),
  };
}

function toJid(mention: string): string {
  return mention.includes('@') ? mention : `${mention.replace(/\D/g, '')}@s.whatsapp.net`;
}

/** Baileys divides by 1000, and the protobuf takes whole seconds only. */
function wholeSecond(time: Date): Date {
  return new Date(Math.trunc(time.getTime() / 1000) * 1000);
}
