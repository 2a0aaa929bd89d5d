import type { BinaryNode } from '@whiskeysockets/baileys';
import { QueryIds } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { child, iqResult, node } from '../wire/nodes.ts';

/** Answers of an account in good standing, by query id: no time lock, no cap on new chats. */
const ANSWERS: Record<string, unknown> = {
  [QueryIds.REACHOUT_TIMELOCK]: {
    xwa2_fetch_account_reachout_timelock: { is_active: false, time_enforcement_ends: '0' },
  },
  [QueryIds.MESSAGE_CAPPING_INFO]: {
    xwa2_message_capping_info: {
      total_quota: -1,
      used_quota: 0,
      cycle_end_timestamp: 0,
      capping_status: 'NONE',
    },
  },
};

/** GraphQL queries, of which only the account's standing is known. */
export function answerMex(_connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const data = ANSWERS[child(iq, 'query')?.attrs.query_id ?? ''];
  if (!data) return undefined;
  return iqResult(iq, [node('result', {}, Buffer.from(JSON.stringify({ data })))]);
}
