import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readContent } from '../../src/content/incoming.js';

const { MEDIA_ALBUM, EVENT_COVER_IMAGE } = proto.MessageAssociation.AssociationType;

function associated(associationType: proto.MessageAssociation.AssociationType): proto.IMessage {
  const messageAssociation = { associationType, parentMessageKey: { id: 'ALBUM' } };
  return { imageMessage: { caption: 'first' }, messageContextInfo: { messageAssociation } };
}

describe('readContent', () => {
  it('tells which album a picture belongs to', () => {
    expect(readContent(associated(MEDIA_ALBUM)).albumWaMessageId).toBe('ALBUM');
  });

  it('tells it of one that disappears, however the message is wrapped', () => {
    const message = associated(MEDIA_ALBUM);
    const { messageContextInfo, ...inner } = message;
    expect(readContent({ ephemeralMessage: { message } }).albumWaMessageId).toBe('ALBUM');
    expect(readContent({ ephemeralMessage: { message: inner }, messageContextInfo }).albumWaMessageId).toBe(
      'ALBUM',
    );
  });

  it('takes no other association for an album', () => {
    expect(readContent(associated(EVENT_COVER_IMAGE)).albumWaMessageId).toBe('');
    expect(readContent({ imageMessage: {} }).albumWaMessageId).toBe('');
  });
});
