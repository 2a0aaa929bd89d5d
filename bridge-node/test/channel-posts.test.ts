import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readPost } from '../src/channel-posts.js';

const CHANNEL = '120363400000000001@newsletter';

function stanza(message: proto.IMessage | Uint8Array, attrs: Record<string, string> = {}): BinaryNode {
  const content = message instanceof Uint8Array ? message : proto.Message.encode(message).finish();
  return {
    tag: 'message',
    attrs: { id: 'ID', from: CHANNEL, t: '1700000000', ...attrs },
    content: [{ tag: 'plaintext', attrs: {}, content }],
  };
}

describe('readPost', () => {
  it('reads what is posted in a channel, which nobody has sent', () => {
    const post = readPost(stanza({ extendedTextMessage: { text: 'We are open' } }, { offline: '1' }));
    expect(post).toMatchObject({
      waMessageId: 'ID',
      chatJid: CHANNEL,
      sender: { pnJid: '', lidJid: '' },
      isGroup: true,
      fromMe: false,
      kind: 'text',
      text: 'We are open',
      sentAtMs: 1_700_000_000_000,
      offline: true,
    });
  });

  it('keeps what else a post can be', () => {
    expect(readPost(stanza({ imageMessage: { caption: 'look' } }))).toMatchObject({ kind: 'image' });
  });

  it('leaves everything else to others', () => {
    const text = { conversation: 'x' };
    expect(readPost(stanza(text, { from: '5511911111111@s.whatsapp.net' }))).toBeUndefined();
    expect(readPost(stanza(text, { id: '' }))).toBeUndefined();
    expect(readPost(stanza({ senderKeyDistributionMessage: {} }))).toBeUndefined();
    expect(readPost(stanza(new Uint8Array([255, 255, 255])))).toBeUndefined();
    expect(readPost({ tag: 'message', attrs: { id: 'ID', from: CHANNEL } })).toBeUndefined();
  });
});
