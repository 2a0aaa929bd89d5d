import type { Account } from '../accounts/account.ts';
import type { Phone } from '../accounts/phone.ts';
import { ApiError } from './errors.ts';
import type { Call } from './http.ts';

const E164 = /^\+[1-9]\d{6,14}$/;

/** A number in E.164; the plus may be missing in paths, where clients forget to encode it. */
export function readNumber(value: unknown, field: string): string {
  const text = String(value ?? '').trim();
  const number = text.startsWith('+') ? text : `+${text}`;
  if (!E164.test(number)) throw invalid(field, 'must be a phone number in E.164, such as +5511999990001');
  return number;
}

export function readText(body: Record<string, unknown>, field: string, maxLength = 65_536): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw invalid(field, 'must be a text that is not empty');
  if (value.length > maxLength) throw invalid(field, `must have at most ${maxLength} characters`);
  return value;
}

export function readOptionalText(body: Record<string, unknown>, field: string): string | undefined {
  return body[field] === undefined ? undefined : readText(body, field);
}

/** A whole number in a range; the default when it is absent. */
export function readInteger(
  value: unknown,
  field: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, fallback }: { min?: number; max?: number; fallback: number },
): number {
  if (value === undefined || value === null) return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw invalid(field, `must be a whole number from ${min} to ${max}`);
  }
  return number;
}

export function readBoolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw invalid(field, 'must be true or false');
  return value;
}

/** The phone whose number is the path's first group. */
export function phoneOf(call: Call): Phone {
  const phone = call.simulator.registry.phone(readNumber(call.params[0], 'number'));
  if (!phone) throw new ApiError(404, 'PHONE_NOT_FOUND', 'There is no virtual phone with this number.');
  return phone;
}

/** A registered account by number. */
export function accountOf(call: Call, value: unknown, field: string): Account {
  const account = call.simulator.registry.registered(readNumber(value, field).slice(1));
  if (!account) throw new ApiError(404, 'NUMBER_NOT_FOUND', `${field} is not on the simulated WhatsApp.`);
  return account;
}

export function invalid(field: string, what: string): ApiError {
  return new ApiError(400, 'INVALID_ARGUMENT', `${field} ${what}.`);
}
