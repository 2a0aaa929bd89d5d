import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { composeMenu, MENU_NODES } from '../../src/content/native-menus.js';
import { compose } from '../../src/content/outgoing.js';
import { phoneNumbersOf, vcardOf } from '../../src/content/vcard.js';
import { Content } from '../../src/generated/ponte/v1/content.js';

const CHAT = '5511911111111@s.whatsapp.net';
const GROUP = '120363000000000000@g.us';
const REFERENCE = { waMessageId: 'ABC', fromMe: false, participant: '911@lid' };
const QUOTED = proto.Message.encode({ conversation: 'question' }).finish();

type Body = NonNullable<Content['body']>;

function content(body: Body, more: Partial<Content> = {}): Content {
  return { ...Content.fromPartial({}), body, ...more };
}

async function composed(body: Body, more: Partial<Content> = {}, chat = CHAT) {
  return compose(chat, content(body, more), async (id) => (id === 'ABC' ? QUOTED : undefined));
}

describe('compose', () => {
  it('quotes a message with what it said', async () => {
    const text: Body = { $case: 'text', text: { body: 'answer' } };
    const post = await composed(text, { replyTo: 'id', reference: REFERENCE, expirationS: 86400 });
    expect(post?.content).toEqual({ text: 'answer', linkPreview: null });
    expect(post?.options).toMatchObject({
      ephemeralExpiration: 86400,
      quoted: { key: { remoteJid: CHAT, id: 'ABC', fromMe: false }, message: { conversation: 'question' } },
    });
  });

  it('quotes a message that is not known any more without its words', async () => {
    const reference = { ...REFERENCE, waMessageId: 'GONE' };
    const post = await composed({ $case: 'text', text: { body: 'x' } }, { replyTo: 'id', reference });
    expect(post?.options.quoted?.message).toEqual({ conversation: '' });
  });

  it('shows of a link what it was given, with a picture where there is one', async () => {
    const preview = { url: 'https://a.example', title: 'A', description: 'a', fetch: false };
    const info = { 'canonical-url': 'https://a.example', 'matched-text': 'https://a.example' };
    const shown = async (thumbnail: Buffer) =>
      (await composed({ $case: 'text', text: { body: 'x', preview: { ...preview, thumbnail } } }))?.content;
    expect(await shown(Buffer.alloc(0))).toEqual({
      text: 'x',
      linkPreview: { ...info, title: 'A', description: 'a' },
    });
    expect(await shown(Buffer.from('jpeg'))).toMatchObject({
      linkPreview: { jpegThumbnail: Buffer.from('jpeg') },
    });
  });

  it('shows a status to those that it names, and says nothing of them elsewhere', async () => {
    const text: Body = { $case: 'text', text: { body: 'x', preview: undefined } };
    const status = await composed(text, { audience: ['+5511922222222'] }, 'status@broadcast');
    expect(status?.options).toEqual({ statusJidList: ['5511922222222@s.whatsapp.net'] });
    expect((await composed(text))?.options).toEqual({});
  });

  it('announces an album', async () => {
    const album = { items: [], expectedImages: 2, expectedVideos: 1, messageIds: ['1', '2', '3'] };
    expect((await composed({ $case: 'album', album }))?.content).toEqual({
      album: { expectedImageCount: 2, expectedVideoCount: 1 },
    });
  });

  it('names mentions by jid and marks what is forwarded', async () => {
    const more = { mentions: ['+5511922222222', '911@lid'], forwarded: true };
    const post = await composed({ $case: 'text', text: { body: 'x' } }, more);
    expect(post?.content).toMatchObject({
      mentions: ['5511922222222@s.whatsapp.net', '911@lid'],
      contextInfo: { isForwarded: true },
    });
  });

  it('names who wrote a message of a group, and nobody in a chat of two', async () => {
    const reaction: Body = { $case: 'reaction', reaction: { messageId: 'id', emoji: '👍' } };
    const inGroup = await composed(reaction, { reference: REFERENCE }, GROUP);
    expect(inGroup?.content).toEqual({
      react: { text: '👍', key: { remoteJid: GROUP, id: 'ABC', fromMe: false, participant: '911@lid' } },
    });
    const alone = await composed(reaction, { reference: REFERENCE });
    expect(alone?.content).toEqual({
      react: { text: '👍', key: { remoteJid: CHAT, id: 'ABC', fromMe: false } },
    });
  });

  it('unpins, and pins for a day where no time is given', async () => {
    const pin = (unpin: boolean): Body => ({ $case: 'pin', pin: { messageId: 'id', durationS: 0, unpin } });
    expect((await composed(pin(false), { reference: REFERENCE }))?.content).toMatchObject({
      type: 1,
      time: 86400,
    });
    expect((await composed(pin(true), { reference: REFERENCE }))?.content).toMatchObject({ type: 2 });
  });

  it('gives an event whole seconds', async () => {
    const event = Content.fromPartial({
      body: { $case: 'event', event: { name: 'x', startAt: new Date(1999), endAt: new Date(2999) } },
    });
    const post = await compose(CHAT, event, async () => undefined);
    expect(post?.content).toMatchObject({ event: { startDate: new Date(1000), endDate: new Date(2000) } });
  });

  it.each<[string, Body]>([
    ['a reaction to nothing', { $case: 'reaction', reaction: { messageId: '', emoji: 'x' } }],
    ['a vote', { $case: 'pollVote', pollVote: { messageId: '', options: [] } }],
    ['an unknown content', { $case: 'unknown', unknown: { name: 'x', raw: Buffer.alloc(0) } }],
  ])('does not send %s', async (_name, body) => {
    expect(await composed(body)).toBeUndefined();
  });
});

describe('composeMenu', () => {
  it('makes a list whose rows without an id have their title as one', () => {
    const sections = [{ title: 'Sweet', rows: [{ title: 'Cake', id: '', description: '' }] }];
    const list = { title: 'Menu', body: 'What?', footer: '', buttonText: 'Open', sections, native: true };
    const menu = composeMenu(CHAT, content({ $case: 'list', list }), 'ID', '5511900000000:1@s.whatsapp.net');
    const [button] = menu?.message?.interactiveMessage?.nativeFlowMessage?.buttons ?? [];
    expect(menu?.key.id).toBe('ID');
    expect(JSON.parse(button?.buttonParamsJson ?? '')).toEqual({
      title: 'Open',
      sections: [{ title: 'Sweet', rows: [{ title: 'Cake', id: 'Cake', description: '' }] }],
    });
    expect(MENU_NODES[0]?.tag).toBe('biz');
  });

  it('makes nothing of other contents', () => {
    expect(composeMenu(CHAT, content({ $case: 'text', text: { body: 'x' } }), 'ID', CHAT)).toBeUndefined();
  });
});

describe('vCards', () => {
  it('are made of numbers and read again', () => {
    const card = vcardOf({ displayName: 'Ana; Lima', phoneNumbers: ['+5511987654321'], vcard: '' });
    expect(card).toContain('FN:Ana\\; Lima');
    expect(phoneNumbersOf(card)).toEqual(['+5511987654321']);
    expect(phoneNumbersOf('TEL:+55 11 98765-4321\nTEL:98765\nitem1.TEL:+1 555')).toEqual([
      '+5511987654321',
      '+1555',
    ]);
  });

  it('stay as they were given', () => {
    expect(vcardOf({ displayName: 'x', phoneNumbers: [], vcard: 'BEGIN:VCARD' })).toBe('BEGIN:VCARD');
  });
});
