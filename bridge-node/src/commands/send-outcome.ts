import { isBoom } from '@hapi/boom';
import { SessionClosedError } from '../close-signal.js';
import { UploadFailedError } from '../content/outgoing-files.js';
import { SendOutcome, type SendResult } from '../generated/ponte/bridge/v1/bridge.js';
import { NoGroupError } from '../groups/group-memory.js';
import { UnansweredError } from '../groups/group-queries.js';
import { describeError } from '../logger.js';

/** What became of a message. */
export type Answer = Pick<SendResult, 'outcome' | 'code' | 'reason' | 'detail'>;

export const ACKNOWLEDGED: Answer = {
  outcome: SendOutcome.SEND_OUTCOME_ACKNOWLEDGED,
  code: 0,
  reason: '',
  detail: '',
};

export const NO_ACCOUNT = notSent(404, 'not_on_whatsapp', 'the number has no WhatsApp account');

const REJECTION_REASONS: Record<number, string> = {
  405: 'payload_not_supported',
  421: 'stale_group_addressing',
  429: 'rate_limited',
  463: 'reachout_locked',
  479: 'stale_device_session',
};

/**
 * Says what an error of `sendMessage` means for the message. NOT_SENT only where the stanza cannot
 * have been written: in rc14 all queries and all encryption come before it. The key store's commit
 * comes after it, so everything else is ambiguous.
 */
export function classifySendError(error: unknown): Answer {
  const detail = describeError(error);
  if (error instanceof SessionClosedError) return ambiguous(0, detail);
  if (error instanceof UploadFailedError) return notSent(500, 'upload_failed', detail);
  if (error instanceof NoGroupError)
    return notSent(error.code, error.isGone ? 'group_gone' : 'not_in_group', detail);
  if (error instanceof UnansweredError) return notSent(0, 'query_failed', detail);
  if (error instanceof TypeError) return notSent(400, 'bad_request', detail);
  if (!isBoom(error)) return ambiguous(typeof error === 'number' ? error : 0, detail);
  // An IQ's error carries its code in `data`; its statusCode is always 500.
  if (typeof error.data === 'number') return notSent(error.data, 'query_failed', detail);
  const code = error.output.statusCode;
  if (error.message === 'All encryptions failed') return notSent(code, 'encryption_failed', detail);
  if (code === 428) return notSent(code, 'connection_closed', detail);
  if (code === 400) return notSent(code, 'bad_request', detail);
  return ambiguous(code, detail);
}

export function notSent(code: number, reason: string, detail: string): Answer {
  return { outcome: SendOutcome.SEND_OUTCOME_NOT_SENT, code, reason, detail };
}

export function ambiguous(code: number, detail: string): Answer {
  return { outcome: SendOutcome.SEND_OUTCOME_AMBIGUOUS, code, reason: 'outcome_unknown', detail };
}

export function rejected(code: number): Answer {
  const reason = REJECTION_REASONS[code] ?? 'rejected';
  return { outcome: SendOutcome.SEND_OUTCOME_REJECTED, code, reason, detail: `ack ${code}` };
}
