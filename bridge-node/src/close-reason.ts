import { isBoom } from '@hapi/boom';
import type { Closed } from './generated/ponte/bridge/v1/bridge.js';
import { describeError } from './logger.js';

const REASON_BY_CODE: Record<number, string> = {
  401: 'logged_out',
  402: 'banned',
  403: 'forbidden',
  405: 'outdated_client',
  406: 'banned',
  408: 'timed_out',
  409: 'bad_session',
  411: 'bad_session',
  413: 'bad_session',
  414: 'bad_session',
  415: 'bad_session',
  428: 'connection_closed',
  429: 'rate_limited',
  440: 'replaced',
  // Baileys gives 500 to a bad session and to every stream error it does not know.
  500: 'unknown',
  503: 'service_unavailable',
  515: 'restart_required',
  // A remote close reaches a pending query as a bare number.
  1001: 'connection_closed',
  1006: 'connection_closed',
};

/** Closings that Baileys does not know of; their code is 0 where no peer gave one. */
export const closings = {
  ended: (detail: string) => closed(0, 'ended', detail, { intentional: true }),
  silent: (timeoutMs: number) => closed(408, 'connection_lost', `nothing came in ${timeoutMs} ms`),
  holdOver: () => closed(408, 'connection_lost', 'the gateway said no longer that it holds its sessions'),
  qrExpired: (count: number) => closed(408, 'qr_expired', `none of ${count} QRs was scanned`),
  connectTimeout: (timeoutMs: number) => closed(0, 'connect_timeout', `not connected in ${timeoutMs} ms`),
  upgradeRefused: (status: number) => closed(status, 'upgrade_refused', `the upgrade was answered ${status}`),
  authStoreFailed: (detail: string) => closed(0, 'auth_store_failed', detail),
  inboundStoreFailed: (detail: string) => closed(0, 'inbound_store_failed', detail),
  loggedOutOnRequest: () => closed(401, 'logged_out', 'asked for', { intentional: true }),
  failed: (detail: string) => closed(0, 'unknown', detail),
};

/**
 * Says why a socket closed.
 *
 * @param error `lastDisconnect.error` of Baileys' connection.update
 * @param showingQr whether the session was unlinked and waited for a scan
 */
export function closeReason(error: unknown, showingQr: boolean): Closed {
  if (typeof error === 'number') return closed(error, REASON_BY_CODE[error] ?? 'unknown', '');
  if (!isBoom(error))
    return error ? closings.failed(describeError(error)) : closed(428, 'connection_closed', '');
  const detail = describeError(error);
  if (isNetworkFailure(error.data)) return closed(428, 'connection_closed', detail);
  const code = error.output.statusCode;
  if (code === 408 && error.message === 'Connection was lost') return closed(408, 'connection_lost', detail);
  if (code === 408 && showingQr) return closed(408, 'qr_expired', detail);
  if (code === 402) return banned(error.data);
  return closed(code, REASON_BY_CODE[code] ?? 'unknown', detail);
}

/** ECONNREFUSED, ENOTFOUND and the like, which Baileys reports as 408. */
function isNetworkFailure(data: unknown): boolean {
  return data instanceof Error && /^E[A-Z]+$/.test(String((data as NodeJS.ErrnoException).code));
}

/** `attributes` are those of <failure reason="402" code="104" expire="seconds"/>. */
function banned(attributes: unknown): Closed {
  const { code, expire } = (attributes ?? {}) as { code?: string; expire?: string };
  const banCode = wholeNumber(code);
  const detail = banCode ? `temporary ban, code ${banCode}` : 'temporary ban';
  return closed(402, 'banned', detail, { expiresInS: wholeNumber(expire), banCode });
}

function wholeNumber(text: string | undefined): number {
  const value = Math.round(Number(text));
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function closed(code: number, reason: string, detail: string, more: Partial<Closed> = {}): Closed {
  return { code, reason, detail, intentional: false, expiresInS: 0, banCode: 0, ...more };
}
