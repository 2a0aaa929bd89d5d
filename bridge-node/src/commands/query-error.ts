import { isBoom } from '@hapi/boom';
import { SessionClosedError } from '../close-signal.js';
import { describeError } from '../logger.js';

export interface QueryError {
  errorCode: string;
  detail: string;
}

/** A query that times out resolves with undefined in Baileys. */
export const TIMED_OUT: QueryError = { errorCode: 'TIMED_OUT', detail: 'WhatsApp did not answer' };

/** Names what went wrong with a query to WhatsApp. */
export function queryError(error: unknown): QueryError {
  const detail = describeError(error);
  if (error instanceof SessionClosedError || typeof error === 'number')
    return { errorCode: 'NOT_CONNECTED', detail };
  if (!isBoom(error)) return { errorCode: 'QUERY_FAILED', detail };
  if (error.data === 429) return { errorCode: 'RATE_LIMITED', detail };
  if (error.output.statusCode === 428) return { errorCode: 'NOT_CONNECTED', detail };
  if (error.output.statusCode === 408) return { errorCode: 'TIMED_OUT', detail };
  return { errorCode: 'QUERY_FAILED', detail };
}
