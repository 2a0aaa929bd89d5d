import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { children, iqError, iqResult } from '../wire/nodes.ts';
import { answerAccountQuery } from './iq-account.ts';
import { answerAppState } from './iq-app-state.ts';
import { answerGroups } from './iq-groups.ts';
import { answerKeys } from './iq-keys.ts';
import { answerMex } from './iq-mex.ts';
import { answerPicture } from './iq-pictures.ts';
import { answerUsync } from './iq-usync.ts';
import { activate } from './login.ts';
import { answerMediaConnection } from './media.ts';
import { confirmPairing } from './registration.ts';

/** Answers a namespace's queries; undefined for a query that it does not know. */
export type IqHandler = (connection: Connection, iq: BinaryNode) => BinaryNode | undefined;

const HANDLERS = new Map<string, IqHandler>([
  ['encrypt', answerKeys],
  ['usync', answerUsync],
  ['w:g2', answerGroups],
  ['w:mex', answerMex],
  ['w:sync:app:state', answerAppState],
  ['w:p', (_connection, iq) => iqResult(iq)],
  ['passive', answerPassive],
  ['md', answerAccountQuery],
  ['privacy', answerAccountQuery],
  ['abt', answerAccountQuery],
  ['blocklist', answerAccountQuery],
  ['disappearing_mode', answerAccountQuery],
  ['w:profile:picture', answerPicture],
  ['urn:xmpp:whatsapp:dirty', answerAccountQuery],
  ['w:stats', answerAccountQuery],
  ['w:m', answerMediaConnection],
]);

/** Answers a query. Unknown ones get an empty result and are counted, so that one sees what a client wants. */
export function handleIq(connection: Connection, iq: BinaryNode): void {
  const { simulator } = connection;
  if (iq.attrs.type === 'result') {
    confirmPairing(connection, iq);
    return;
  }
  simulator.stats.iqs += 1;
  const xmlns = iq.attrs.xmlns ?? '';
  if (simulator.faults.take('iq_silence', connection.number, xmlns)) return;
  const fault = simulator.faults.take('iq_error', connection.number, xmlns);
  if (fault) {
    connection.send(iqError(iq, fault.code ?? 500, 'fault'));
    return;
  }
  const answer = HANDLERS.get(xmlns)?.(connection, iq);
  if (!answer) simulator.stats.countUnknownIq(`${xmlns}/${children(iq)[0]?.tag ?? ''}`);
  connection.send(answer ?? iqResult(iq));
  if (xmlns === 'passive' && children(iq)[0]?.tag === 'active') activate(connection);
}

function answerPassive(_connection: Connection, iq: BinaryNode): BinaryNode {
  return iqResult(iq);
}
