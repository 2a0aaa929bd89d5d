import type { BinaryNode } from '@whiskeysockets/baileys';
import { QueryIds } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { Companion } from '../accounts/companion.ts';
import type { Standing } from '../accounts/standing.ts';
import type { Connection } from '../connection.ts';
import { SERVER_JID } from '../wire/jid.ts';
import { bytesOf, child, iqResult, node } from '../wire/nodes.ts';
import { answerChannelQuery } from './mex-channels.ts';

/** GraphQL queries, of which only the account's standing and channels are known. */
export function answerMex({ device, simulator }: Connection, iq: BinaryNode): BinaryNode | undefined {
  const query = child(iq, 'query');
  const queryId = query?.attrs.query_id;
  if (!device) return undefined;
  const { standing } = device.account;
  if (queryId === QueryIds.REACHOUT_TIMELOCK) {
    return answer(iq, { xwa2_fetch_account_reachout_timelock: lockOf(standing) });
  }
  if (queryId === QueryIds.MESSAGE_CAPPING_INFO) {
    return answer(iq, { xwa2_message_capping_info: cappingOf(standing) });
  }
  const { variables = {} } = JSON.parse(query ? (bytesOf(query) ?? '{}').toString() : '{}');
  const answered = answerChannelQuery(simulator.channels, device.account, queryId, variables);
  return answered && iqResult(iq, [node('result', {}, Buffer.from(JSON.stringify(answered)))]);
}

/** Tells an account's clients what its standing is now. */
export function tellStanding(account: Account, newId: () => string): void {
  const { standing } = account;
  const told = [
    ['NotificationUserReachoutTimelockUpdate', { xwa2_notify_account_reachout_timelock: lockOf(standing) }],
    [
      'MessageCappingInfoNotification',
      { xwa2_notify_new_chat_messages_capping_info_update: cappingOf(standing) },
    ],
  ] as const;
  for (const [operation, data] of told) {
    const update = node('update', { op_name: operation }, Buffer.from(JSON.stringify({ data })));
    for (const device of account.devices.values()) {
      if (!(device instanceof Companion)) continue;
      device.deliver(node('notification', { id: newId(), from: SERVER_JID, type: 'mex' }, [update]));
    }
  }
}

function lockOf({ reach_out_lock: { active, ends_at } }: Standing) {
  return { is_active: active, time_enforcement_ends: String(ends_at ?? 0), enforcement_type: 'DEFAULT' };
}

function cappingOf({ new_chats: { total_quota, used_quota, cycle_ends_at, status } }: Standing) {
  return { total_quota, used_quota, cycle_end_timestamp: String(cycle_ends_at ?? 0), capping_status: status };
}

function answer(iq: BinaryNode, data: object): BinaryNode {
  return iqResult(iq, [node('result', {}, Buffer.from(JSON.stringify({ data })))]);
}
