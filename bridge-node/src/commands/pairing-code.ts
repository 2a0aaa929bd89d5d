import type { WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import type { PairingCode, RequestPairingCode } from '../generated/ponte/bridge/v1/bridge.js';
import { queryError } from './query-error.js';

/** Asks for the 8 characters that a person types on the phone instead of scanning a QR. */
export async function requestPairingCode(
  sock: Pick<WASocket, 'requestPairingCode'>,
  closeSignal: CloseSignal,
  { requestId, phoneNumber, customCode }: RequestPairingCode,
): Promise<PairingCode> {
  const digits = phoneNumber.replace(/\D/g, '');
  try {
    const code = await closeSignal.race(sock.requestPairingCode(digits, customCode || undefined));
    return { requestId, code, errorCode: '', detail: '' };
  } catch (error) {
    return { requestId, code: '', ...queryError(error) };
  }
}
