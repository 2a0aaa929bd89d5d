import {
  areJidsSameUser,
  type GroupMetadata,
  type GroupParticipant,
  jidDecode,
} from '@whiskeysockets/baileys';
import type { Content } from '../generated/ponte/v1/content.js';
import type { Me } from '../inbound.js';

/**
 * Says whom a content mentions by the names that its group knows them by, in the list and in the words: in most
 * groups that is a hidden id, and another name would be shown as a bare number. `mentionAll` becomes everybody else.
 */
export function addressed(content: Content, { participants }: GroupMetadata, me: Me): Content {
  if (content.mentions.length === 0 && !content.mentionAll) return content;
  const renamed = new Map<string, string>();
  const mentions = content.mentions.map((mention) => {
    const member = participants.find((one) => isNamed(one, mention));
    if (member) renamed.set(userOf(mention), userOf(member.id));
    return member?.id ?? mention;
  });
  const isMe = (one: GroupParticipant) => isNamed(one, me.id) || isNamed(one, me.lid);
  const everybody = content.mentionAll ? participants.filter((one) => !isMe(one)).map(({ id }) => id) : [];
  return {
    ...withWords(content, (words) => rename(words, renamed)),
    mentions: [...new Set([...mentions, ...everybody])],
  };
}

function isNamed({ id, lid, phoneNumber }: GroupParticipant, mention: string): boolean {
  const jid = mention.includes('@') ? mention : `${userOf(mention)}@s.whatsapp.net`;
  return [id, lid, phoneNumber].some((name) => name && areJidsSameUser(name, jid));
}

/** The digits by which a text names somebody, of a jid or of a phone number. */
function userOf(name: string): string {
  return name.includes('@') ? (jidDecode(name)?.user ?? '') : name.replace(/\D/g, '');
}

function rename(words: string, renamed: ReadonlyMap<string, string>): string {
  return words.replace(/@\+?(\d+)/g, (named, digits: string) => {
    const user = renamed.get(digits);
    return user === undefined ? named : `@${user}`;
  });
}

function withWords(content: Content, change: (words: string) => string): Content {
  const { body } = content;
  switch (body?.$case) {
    case 'text':
      return { ...content, body: { ...body, text: { ...body.text, body: change(body.text.body) } } };
    case 'image':
      return { ...content, body: { ...body, image: { ...body.image, caption: change(body.image.caption) } } };
    case 'video':
      return { ...content, body: { ...body, video: { ...body.video, caption: change(body.video.caption) } } };
    case 'document': {
      const document = { ...body.document, caption: change(body.document.caption) };
      return { ...content, body: { ...body, document } };
    }
    default:
      return content;
  }
}
