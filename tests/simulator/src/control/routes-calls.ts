import { randomBytes } from 'node:crypto';
import { CALL_STEPS, type CallStep, tellOfCall } from '../accounts/calls.ts';
import type { Call, Route } from './http.ts';
import { accountOf, invalid, phoneOf, readBoolean, readOptionalText } from './input.ts';

const CALL_ID_BYTES = 16;

export const callRoutes: Route[] = [{ method: 'POST', path: /^\/phones\/([^/:]+):call$/, run: callNumber }];

/** A phone calls a number, or a call that it made goes on: one step, told to all devices of the called number. */
function callNumber(call: Call) {
  const { body } = call;
  const phone = phoneOf(call);
  const step = (body.step ?? 'offer') as CallStep;
  if (!CALL_STEPS.includes(step)) throw invalid('step', `must be one of ${CALL_STEPS.join(', ')}`);
  const id = readOptionalText(body, 'call_id') ?? randomBytes(CALL_ID_BYTES).toString('hex').toUpperCase();
  tellOfCall(phone.account, accountOf(call, body.to, 'to'), {
    id,
    step,
    video: body.video !== undefined && readBoolean(body.video, 'video'),
    addressing: phone.behaviour.addressing,
    reason: readOptionalText(body, 'reason'),
  });
  return { call_id: id };
}
