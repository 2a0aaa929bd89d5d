import { readFile } from 'node:fs/promises';
import { type BinaryNode, generateMessageIDV2, S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import { type GroupSettings, ParticipantAction } from '../generated/ponte/bridge/v1/group.js';
import { descriptionId } from './read-group.js';

export type QueryingSocket = Pick<WASocket, 'query'>;

/** WhatsApp did not answer: nobody knows whether it was done. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

const ALL_GROUPS = '@g.us';

export const ACTION_TAGS: Partial<Record<ParticipantAction, string>> = {
  [ParticipantAction.PARTICIPANT_ACTION_ADD]: 'add',
  [ParticipantAction.PARTICIPANT_ACTION_REMOVE]: 'remove',
  [ParticipantAction.PARTICIPANT_ACTION_PROMOTE]: 'promote',
  [ParticipantAction.PARTICIPANT_ACTION_DEMOTE]: 'demote',
};

/**
 * WhatsApp's queries about groups, with the stanzas of Baileys' own group functions. Those cannot be told
 * apart when they succeed and when WhatsApp stays silent: a query that times out resolves with undefined,
 * which they take for an empty answer. "This number is in no group any more" would be one of them.
 */
export class GroupQueries {
  constructor(
    readonly sock: QueryingSocket,
    readonly closeSignal: CloseSignal,
  ) {}

  readGroup(jid: string): Promise<BinaryNode> {
    return this.#ask(jid, 'get', { tag: 'query', attrs: { request: 'interactive' } });
  }

  readAll(): Promise<BinaryNode> {
    const content = [
      { tag: 'participants', attrs: {} },
      { tag: 'description', attrs: {} },
    ];
    return this.#ask(ALL_GROUPS, 'get', { tag: 'participating', attrs: {}, content });
  }

  create(subject: string, participantJids: string[]): Promise<BinaryNode> {
    const attrs = { subject, key: generateMessageIDV2() };
    return this.#ask(ALL_GROUPS, 'set', { tag: 'create', attrs, content: participants(participantJids) });
  }

  leave(jid: string): Promise<BinaryNode> {
    const content = [{ tag: 'group', attrs: { id: jid } }];
    return this.#ask(ALL_GROUPS, 'set', { tag: 'leave', attrs: {}, content });
  }

  changeParticipants(jid: string, action: ParticipantAction, jids: string[]): Promise<BinaryNode> {
    const tag = ACTION_TAGS[action];
    if (!tag) return Promise.reject(new Error('an action of a newer contract'));
    return this.#ask(jid, 'set', { tag, attrs: {}, content: participants(jids) });
  }

  readInviteCode(jid: string): Promise<BinaryNode> {
    return this.#ask(jid, 'get', { tag: 'invite', attrs: {} });
  }

  revokeInviteCode(jid: string): Promise<BinaryNode> {
    return this.#ask(jid, 'set', { tag: 'invite', attrs: {} });
  }

  readInvite(code: string): Promise<BinaryNode> {
    return this.#ask(ALL_GROUPS, 'get', { tag: 'invite', attrs: { code } });
  }

  join(code: string): Promise<BinaryNode> {
    return this.#ask(ALL_GROUPS, 'set', { tag: 'invite', attrs: { code } });
  }

  readJoinRequests(jid: string): Promise<BinaryNode> {
    return this.#ask(jid, 'get', { tag: 'membership_approval_requests', attrs: {} });
  }

  answerJoinRequests(jid: string, tag: 'approve' | 'reject', jids: string[]): Promise<BinaryNode> {
    const content = [{ tag, attrs: {}, content: participants(jids) }];
    return this.#ask(jid, 'set', { tag: 'membership_requests_action', attrs: {}, content });
  }

  /** Field by field: WhatsApp takes one at a time. */
  async change(jid: string, settings: GroupSettings): Promise<void> {
    if (settings.subject !== undefined) await this.#set(jid, 'subject', Buffer.from(settings.subject));
    if (settings.description !== undefined) await this.#describe(jid, settings.description);
    for (const tag of switches(settings)) await this.#set(jid, tag);
    if (settings.onlyAdminsAdd !== undefined)
      await this.#set(jid, 'member_add_mode', settings.onlyAdminsAdd ? 'admin_add' : 'all_member_add');
    if (settings.joinApproval !== undefined) {
      const state = settings.joinApproval ? 'on' : 'off';
      await this.#set(jid, 'membership_approval_mode', [{ tag: 'group_join', attrs: { state } }]);
    }
    if (settings.disappearingS) await this.#ask(jid, 'set', ephemeral(settings.disappearingS));
    else if (settings.disappearingS === 0) await this.#set(jid, 'not_ephemeral');
  }

  /** `filePath` is a JPEG; empty removes the picture. */
  async setPicture(jid: string, filePath: string): Promise<void> {
    const picture = filePath
      ? [{ tag: 'picture', attrs: { type: 'image' }, content: await readFile(filePath) }]
      : undefined;
    await this.#query({
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:profile:picture', target: jid },
      ...(picture ? { content: picture } : {}),
    });
  }

  async #describe(jid: string, description: string): Promise<void> {
    const prev = descriptionId(await this.readGroup(jid));
    await this.#ask(jid, 'set', {
      tag: 'description',
      attrs: {
        ...(description ? { id: generateMessageIDV2() } : { delete: 'true' }),
        ...(prev ? { prev } : {}),
      },
      ...(description ? { content: [{ tag: 'body', attrs: {}, content: Buffer.from(description) }] } : {}),
    });
  }

  #set(jid: string, tag: string, content?: BinaryNode['content']): Promise<BinaryNode> {
    return this.#ask(jid, 'set', { tag, attrs: {}, ...(content === undefined ? {} : { content }) });
  }

  #ask(to: string, type: 'get' | 'set', request: BinaryNode): Promise<BinaryNode> {
    return this.#query({ tag: 'iq', attrs: { type, xmlns: 'w:g2', to }, content: [request] });
  }

  async #query(stanza: BinaryNode): Promise<BinaryNode> {
    const answer: BinaryNode | undefined = await this.closeSignal.race(this.sock.query(stanza));
    if (!answer) throw new UnansweredError('WhatsApp did not answer');
    return answer;
  }
}

function participants(jids: string[]): BinaryNode[] {
  return jids.map((jid) => ({ tag: 'participant', attrs: { jid } }));
}

function switches({ onlyAdminsSend, onlyAdminsEdit }: GroupSettings): string[] {
  return [
    ...(onlyAdminsSend === undefined ? [] : [onlyAdminsSend ? 'announcement' : 'not_announcement']),
    ...(onlyAdminsEdit === undefined ? [] : [onlyAdminsEdit ? 'locked' : 'unlocked']),
  ];
}

function ephemeral(seconds: number): BinaryNode {
  return { tag: 'ephemeral', attrs: { expiration: seconds.toString() } };
}
