import { FAULT_KINDS, type FaultKind, type FaultSpec } from '../faults.ts';
import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';
import { invalid, readInteger, readNumber, readOptionalText } from './input.ts';

export const faultRoutes: Route[] = [
  { method: 'GET', path: /^\/faults$/, run: ({ simulator }) => simulator.faults.list() },
  { method: 'POST', path: /^\/faults$/, run: ({ simulator, body }) => simulator.addFault(readFault(body)) },
  { method: 'DELETE', path: /^\/faults$/, run: ({ simulator }) => ({ cleared: simulator.clearFaults() }) },
  { method: 'DELETE', path: /^\/faults\/(\d+)$/, run: removeFault },
];

const FIELDS = new Set(['kind', 'number', 'count', 'code', 'ms', 'xmlns', 'expire_s', 'ban_code']);

function readFault(body: Record<string, unknown>): FaultSpec {
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown) throw invalid(unknown, 'is not a field of a fault');
  const kind = body.kind as FaultKind;
  if (!FAULT_KINDS.includes(kind)) throw invalid('kind', `must be one of ${FAULT_KINDS.join(', ')}`);
  const number = body.number === undefined ? undefined : readNumber(body.number, 'number');
  const xmlns = readOptionalText(body, 'xmlns');
  const optional = (field: string, max: number) =>
    body[field] === undefined
      ? {}
      : { [field]: readInteger(body[field], field, { min: 1, max, fallback: 1 }) };
  return {
    kind,
    ...(number ? { number } : {}),
    ...(xmlns ? { xmlns } : {}),
    ...optional('count', 1_000_000),
    ...optional('code', 999),
    ...optional('ms', 600_000),
    ...optional('expire_s', 1_000_000_000),
    ...optional('ban_code', 999),
  };
}

function removeFault({ simulator, params }: Call) {
  if (!simulator.clearFaults(Number(params[0]))) {
    throw new ApiError(404, 'FAULT_NOT_FOUND', 'There is no fault with this id in force.');
  }
  return { cleared: true };
}
