import type { BinaryNode } from '@whiskeysockets/baileys';

/** How WhatsApp describes a group of two, which names people by their hidden ids first. */
export const GROUP_STANZA: BinaryNode = {
  tag: 'iq',
  attrs: {},
  content: [
    {
      tag: 'group',
      attrs: { id: '120363000000000000', addressing_mode: 'lid' },
      content: [
        { tag: 'participant', attrs: { jid: '911@lid', phone_number: '5511911111111@s.whatsapp.net' } },
        { tag: 'participant', attrs: { jid: '900@lid', phone_number: '5511900000001@s.whatsapp.net' } },
      ],
    },
  ],
};
