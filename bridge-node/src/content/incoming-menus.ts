import type { proto } from '@whiskeysockets/baileys';
import type { ListSection } from '../generated/ponte/v1/content.js';
import type { Body } from './incoming.js';

/** Reads buttons, lists, and what a person chose of them. */
export function readMenu(message: proto.IMessage): Body | undefined {
  return readChoice(message) ?? readButtons(message) ?? readList(message);
}

function readChoice(message: proto.IMessage): Body | undefined {
  const { buttonsResponseMessage, templateButtonReplyMessage, listResponseMessage } = message;
  if (buttonsResponseMessage) {
    return choice(buttonsResponseMessage.selectedButtonId, buttonsResponseMessage.selectedDisplayText);
  }
  if (templateButtonReplyMessage) {
    return choice(templateButtonReplyMessage.selectedId, templateButtonReplyMessage.selectedDisplayText);
  }
  if (listResponseMessage) {
    return choice(listResponseMessage.singleSelectReply?.selectedRowId, listResponseMessage.title);
  }
  const answer = message.interactiveResponseMessage;
  const parameters = answer?.nativeFlowResponseMessage?.paramsJson;
  if (!answer || !parameters) return undefined;
  const { id, title, display_text } = parseObject(parameters);
  return choice(text(id), answer.body?.text || text(display_text) || text(title));
}

function choice(id: string | null | undefined, words: string | null | undefined): Body {
  return { $case: 'choice', choice: { messageId: '', id: id ?? '', text: words || id || '' } };
}

function readButtons(message: proto.IMessage): Body | undefined {
  const { buttonsMessage, interactiveMessage } = message;
  if (buttonsMessage) {
    const buttons = (buttonsMessage.buttons ?? []).map((button) => ({
      id: button.buttonId ?? '',
      text: button.buttonText?.displayText ?? '',
    }));
    return menu(buttonsMessage.contentText, buttonsMessage.footerText, buttons);
  }
  const template =
    message.templateMessage?.hydratedTemplate ?? message.templateMessage?.hydratedFourRowTemplate;
  if (template) {
    const buttons = (template.hydratedButtons ?? []).map((button) => ({
      id: button.quickReplyButton?.id ?? '',
      text:
        button.quickReplyButton?.displayText ??
        button.urlButton?.displayText ??
        button.callButton?.displayText ??
        '',
    }));
    return menu(template.hydratedContentText, template.hydratedFooterText, buttons);
  }
  if (!interactiveMessage?.nativeFlowMessage) return undefined;
  const flows = (interactiveMessage.nativeFlowMessage.buttons ?? []).map((button) =>
    parseObject(button.buttonParamsJson ?? ''),
  );
  const body = interactiveMessage.body?.text;
  const footer = interactiveMessage.footer?.text;
  const sections = flows.flatMap((flow) => (Array.isArray(flow.sections) ? flow.sections : []));
  if (sections.length > 0) {
    const list = { title: interactiveMessage.header?.title ?? '', body: body ?? '', footer: footer ?? '' };
    const buttonText = text(flows.find((flow) => flow.sections)?.title);
    const native = true;
    return { $case: 'list', list: { ...list, buttonText, native, sections: sections.map(flowSection) } };
  }
  return menu(
    body,
    footer,
    flows.map((flow) => ({ id: text(flow.id), text: text(flow.display_text) })),
  );
}

function menu(
  body: string | null | undefined,
  footer: string | null | undefined,
  buttons: { id: string; text: string }[],
): Body {
  return { $case: 'buttons', buttons: { body: body ?? '', footer: footer ?? '', buttons, native: true } };
}

function readList({ listMessage: list }: proto.IMessage): Body | undefined {
  if (!list) return undefined;
  const sections = (list.sections ?? []).map((section) => ({
    title: section.title ?? '',
    rows: (section.rows ?? []).map((row) => ({
      id: row.rowId ?? '',
      title: row.title ?? '',
      description: row.description ?? '',
    })),
  }));
  return {
    $case: 'list',
    list: {
      title: list.title ?? '',
      body: list.description ?? '',
      footer: list.footerText ?? '',
      buttonText: list.buttonText ?? '',
      native: true,
      sections,
    },
  };
}

function flowSection(section: unknown): ListSection {
  const { title, rows } = asObject(section);
  const lines = (Array.isArray(rows) ? rows : []).map(asObject);
  return {
    title: text(title),
    rows: lines.map((row) => ({
      id: text(row.id),
      title: text(row.title),
      description: text(row.description),
    })),
  };
}

/** What a stranger wrote may be no JSON at all. */
function parseObject(json: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(json));
  } catch {
    return {};
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
