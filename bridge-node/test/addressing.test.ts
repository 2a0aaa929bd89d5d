import type { GroupMetadata } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { EMPTY } from '../src/content/incoming.js';
import type { Content } from '../src/generated/ponte/v1/content.js';
import { addressed } from '../src/groups/addressing.js';

const ME = { id: '5511900000001:4@s.whatsapp.net', lid: '900:4@lid' };
const LID_GROUP = {
  participants: [
    { id: '900@lid', phoneNumber: '5511900000001@s.whatsapp.net' },
    { id: '911@lid', phoneNumber: '5511911111111@s.whatsapp.net' },
    { id: '922@lid' },
  ],
} as GroupMetadata;
const PN_GROUP = {
  participants: [
    { id: '5511900000001@s.whatsapp.net', lid: '900@lid' },
    { id: '5511911111111@s.whatsapp.net', lid: '911@lid' },
  ],
} as GroupMetadata;

const text = (body: string, more: Partial<Content> = {}): Content => ({
  ...EMPTY,
  body: { $case: 'text', text: { body, preview: undefined } },
  ...more,
});
const said = ({ body, mentions }: Content) => [body?.$case === 'text' ? body.text.body : '', mentions];

describe('addressed', () => {
  it.each([
    ['+5511911111111', '@+5511911111111 and @5511911111111, not @55119111111112'],
    ['5511911111111@s.whatsapp.net', '@+5511911111111 and @5511911111111, not @55119111111112'],
  ])('names %s by the hidden id that the group has', (mention, words) => {
    const found = addressed(text(words, { mentions: [mention] }), LID_GROUP, ME);
    expect(said(found)).toEqual(['@911 and @911, not @55119111111112', ['911@lid']]);
  });

  it('names a hidden id by the number where the group has numbers', () => {
    const found = addressed(text('@911', { mentions: ['911@lid'] }), PN_GROUP, ME);
    expect(said(found)).toEqual(['@5511911111111', ['5511911111111@s.whatsapp.net']]);
  });

  it('leaves a stranger as he was given', () => {
    const found = addressed(text('@5511933333333', { mentions: ['+5511933333333'] }), LID_GROUP, ME);
    expect(said(found)).toEqual(['@5511933333333', ['+5511933333333']]);
  });

  it.each([
    ['hidden ids', LID_GROUP, ['911@lid', '922@lid']],
    ['numbers', PN_GROUP, ['5511911111111@s.whatsapp.net']],
  ])('mentions everybody but this number, each once, in a group of %s', (_names, group, mentions) => {
    const everybody = text('now', { mentions: ['+5511911111111'], mentionAll: true });
    expect(said(addressed(everybody, group, ME))).toEqual(['now', mentions]);
  });

  it.each(['image', 'video', 'document'] as const)('renames in the caption of a %s', (kind) => {
    const body = { $case: kind, [kind]: { caption: '@5511911111111' } } as unknown as NonNullable<
      Content['body']
    >;
    const found = addressed(text('', { body, mentions: ['+5511911111111'] }), LID_GROUP, ME);
    expect(found.body).toMatchObject({ [kind]: { caption: '@911' } });
  });

  it('leaves what mentions nobody as it is', () => {
    const plain = text('@5511911111111');
    expect(addressed(plain, LID_GROUP, ME)).toBe(plain);
  });
});
