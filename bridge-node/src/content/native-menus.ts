import {
  type BinaryNode,
  generateWAMessageFromContent,
  proto,
  type WAMessage,
} from '@whiskeysockets/baileys';
import type { Content } from '../generated/ponte/v1/content.js';

/** Without this node the server refuses what `sendMessage` knows no words for (ack 479). */
export const MENU_NODES: BinaryNode[] = [
  {
    tag: 'biz',
    attrs: {},
    content: [
      {
        tag: 'interactive',
        attrs: { type: 'native_flow', v: '1' },
        content: [{ tag: 'native_flow', attrs: { name: 'mixed' } }],
      },
    ],
  },
];

/** Makes real buttons or a real list, for `relayMessage`; undefined for any other content. */
export function composeMenu(
  chatJid: string,
  content: Content,
  messageId: string,
  userJid: string,
): WAMessage | undefined {
  const interactiveMessage = menuOf(content);
  if (!interactiveMessage) return undefined;
  const message = proto.Message.create({ interactiveMessage });
  return generateWAMessageFromContent(chatJid, message, { messageId, userJid });
}

function menuOf({ body }: Content): proto.Message.IInteractiveMessage | undefined {
  if (body?.$case === 'buttons') {
    const { body: words, footer, buttons } = body.buttons;
    const flows = buttons.map(({ id, text }) => flow('quick_reply', { display_text: text, id: id || text }));
    return { body: { text: words }, footer: { text: footer }, nativeFlowMessage: { buttons: flows } };
  }
  if (body?.$case !== 'list') return undefined;
  const { title, body: words, footer, buttonText, sections } = body.list;
  const rows = sections.map((section) => ({
    title: section.title,
    rows: section.rows.map((row) => ({
      title: row.title,
      id: row.id || row.title,
      description: row.description,
    })),
  }));
  const open = flow('single_select', { title: buttonText, sections: rows });
  return {
    header: { title, hasMediaAttachment: false },
    body: { text: words },
    footer: { text: footer },
    nativeFlowMessage: { buttons: [open] },
  };
}

function flow(name: string, parameters: object) {
  return { name, buttonParamsJson: JSON.stringify(parameters) };
}
