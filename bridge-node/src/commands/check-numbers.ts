import type { WASocket } from '@whiskeysockets/baileys';
import { jidDecode } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import { contactId } from '../contact-id.js';
import type { CheckNumbers, NumberCheck, NumbersChecked } from '../generated/ponte/bridge/v1/bridge.js';
import { queryError, TIMED_OUT } from './query-error.js';

type NumberSocket = Pick<WASocket, 'onWhatsApp'> & {
  signalRepository: { lidMapping: Pick<WASocket['signalRepository']['lidMapping'], 'getLIDsForPNs'> };
};

/** Asks which of the numbers are on WhatsApp. */
export async function checkNumbers(
  sock: NumberSocket,
  closeSignal: CloseSignal,
  { requestId, phoneNumbers }: CheckNumbers,
): Promise<NumbersChecked> {
  try {
    const jids = await closeSignal.race(findJids(sock, phoneNumbers));
    if (!jids) return { requestId, checks: [], ...TIMED_OUT };
    const lids = await closeSignal.race(findLids(sock, [...jids.values()]));
    const checks = phoneNumbers.map((phoneNumber): NumberCheck => {
      const jid = jids.get(phoneNumber);
      return { phoneNumber, onWhatsapp: !!jid, contact: contactId(jid, jid && lids.get(jid)) };
    });
    return { requestId, checks, errorCode: '', detail: '' };
  } catch (error) {
    return { requestId, checks: [], ...queryError(error) };
  }
}

/**
 * Phone number -> jid; absent are those not on WhatsApp; undefined after a time-out. WhatsApp may
 * answer with another number (Brazil's ninth digit) and Baileys drops which one was asked for, so
 * what cannot be matched is asked for alone.
 */
async function findJids(sock: NumberSocket, numbers: string[]): Promise<Map<string, string> | undefined> {
  const answers = await sock.onWhatsApp(...numbers);
  if (!answers) return undefined;
  const found = new Set(answers.filter((answer) => answer.exists).map((answer) => answer.jid));
  const jids = new Map<string, string>();
  for (const number of numbers) {
    const jid = [...found].find((candidate) => jidDecode(candidate)?.user === number.replace('+', ''));
    if (jid) jids.set(number, jid);
  }
  const matched = new Set(jids.values());
  if (matched.size === found.size) return jids;
  for (const number of numbers.filter((candidate) => !jids.has(candidate))) {
    const alone = await sock.onWhatsApp(number);
    if (!alone) return undefined;
    if (alone[0]?.exists) jids.set(number, alone[0].jid);
  }
  return jids;
}

async function findLids(sock: NumberSocket, jids: string[]): Promise<Map<string, string>> {
  if (jids.length === 0) return new Map();
  const pairs = await sock.signalRepository.lidMapping.getLIDsForPNs(jids);
  return new Map((pairs ?? []).map(({ pn, lid }) => [pn, lid]));
}
