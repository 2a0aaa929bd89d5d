/** Numbers of a message are whatever its sender wrote; the contract's have bounds. */

const MOST_WHOLE = 2 ** 31 - 1;
/** The years 1 to 9999, which the contract's times have. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

type Wire = number | { toNumber(): number } | null | undefined;

/** A whole number of 0 to 2^31 - 1; what is beyond becomes the bound. */
export function whole(value: Wire): number {
  const number = toNumber(value);
  return Number.isFinite(number) ? Math.min(Math.max(Math.trunc(number), 0), MOST_WHOLE) : 0;
}

/** As `whole`, for a time in seconds. */
export const seconds = whole;

/** A number that is neither infinite nor none at all. */
export function finite(value: number | null | undefined): number {
  return Number.isFinite(value) ? (value as number) : 0;
}

/** Seconds since 1970 as a time; undefined for none, and for one that no calendar has. */
export function moment(value: Wire): Date | undefined {
  const number = toNumber(value);
  if (!number || !Number.isFinite(number) || number < FIRST_SECOND || number > LAST_SECOND) return undefined;
  return new Date(Math.trunc(number) * 1000);
}

function toNumber(value: Wire): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}
