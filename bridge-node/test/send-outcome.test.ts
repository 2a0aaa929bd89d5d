import { Boom } from '@hapi/boom';
import { describe, expect, it } from 'vitest';
import { classifySendError } from '../src/commands/send-outcome.js';
import { SendOutcome } from '../src/generated/ponte/bridge/v1/bridge.js';
import { UnansweredError } from '../src/groups/group-queries.js';

const { SEND_OUTCOME_AMBIGUOUS, SEND_OUTCOME_NOT_SENT } = SendOutcome;

describe('classifySendError', () => {
  it.each<[string, unknown, SendOutcome, string]>([
    ['a refused query', new Boom('rate-overlimit', { data: 429 }), SEND_OUTCOME_NOT_SENT, 'query_failed'],
    [
      'no device to encrypt for',
      new Boom('All encryptions failed'),
      SEND_OUTCOME_NOT_SENT,
      'encryption_failed',
    ],
    [
      'a closed connection',
      new Boom('Connection Closed', { statusCode: 428 }),
      SEND_OUTCOME_NOT_SENT,
      'connection_closed',
    ],
    ['a bad request', new Boom('bad', { statusCode: 400 }), SEND_OUTCOME_NOT_SENT, 'bad_request'],
    ['a type error', new TypeError('x'), SEND_OUTCOME_NOT_SENT, 'bad_request'],
    ['a remote close', 1006, SEND_OUTCOME_AMBIGUOUS, 'outcome_unknown'],
    ['a time-out', new Boom('Timed Out', { statusCode: 408 }), SEND_OUTCOME_AMBIGUOUS, 'outcome_unknown'],
    ['a group query without an answer', new UnansweredError('x'), SEND_OUTCOME_NOT_SENT, 'query_failed'],
    ['a refused key write', new Error('STALE_FENCE'), SEND_OUTCOME_AMBIGUOUS, 'outcome_unknown'],
  ])('of %s', (_name, error, outcome, reason) => {
    expect(classifySendError(error)).toMatchObject({ outcome, reason });
  });
});
