import { areJidsSameUser, type BinaryNode, getAllBinaryNodeChildren } from '@whiskeysockets/baileys';
import { contactId } from '../contact-id.js';
import { type Call, CallStep } from '../generated/ponte/bridge/v1/call.js';
import type { Me } from '../inbound.js';

export type CallContent = Omit<Call, 'companyId' | 'sessionId' | 'requestId'>;

/** Others (preaccept, transport, relaylatency) are how devices find each other, which nobody need know. */
const STEP_BY_TAG: Record<string, CallStep> = {
  offer: CallStep.CALL_STEP_OFFERED,
  offer_notice: CallStep.CALL_STEP_OFFERED,
  accept: CallStep.CALL_STEP_ACCEPTED,
  reject: CallStep.CALL_STEP_REJECTED,
  terminate: CallStep.CALL_STEP_TERMINATED,
};

/**
 * Reads a <call> stanza of somebody who calls this number; undefined for calls that this number makes and for
 * what is no step of a call. Read from the stanza because Baileys acknowledges it right after its own event.
 */
export function readCall(stanza: BinaryNode, me: Me): CallContent | undefined {
  const [info] = getAllBinaryNodeChildren(stanza);
  const step = stepOf(info);
  const waCallId = info?.attrs['call-id'];
  if (!info || !step || !waCallId) return undefined;
  const creator = info.attrs['call-creator'] || info.attrs.from || stanza.attrs.from;
  if (areJidsSameUser(creator, me.id) || areJidsSameUser(creator, me.lid)) return undefined;
  const caller = contactId(creator, info.attrs.caller_pn);
  return {
    waCallId,
    callerPnJid: caller.pnJid,
    callerLidJid: caller.lidJid,
    groupJid: info.attrs['group-jid'] ?? '',
    video: getAllBinaryNodeChildren(info).some(({ tag }) => tag === 'video'),
    step,
    atMs: Number(stanza.attrs.t) * 1000 || Date.now(),
    offline: Boolean(stanza.attrs.offline),
  };
}

function stepOf(info: BinaryNode | undefined): CallStep | undefined {
  if (info?.tag === 'terminate' && info.attrs.reason === 'timeout') return CallStep.CALL_STEP_TIMED_OUT;
  return info && STEP_BY_TAG[info.tag];
}
