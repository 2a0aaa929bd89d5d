import { setFlagsFromString } from 'node:v8';

const GROWING_PERCENT = 30;
const FLAG = '--heap-growing-percent';

/**
 * Lets the heap grow by a third before it is collected whole. V8 by itself lets it grow to three times what was in use,
 * and then nothing collects what the logins after a start have left: idle sessions make too little garbage for that.
 * A V8 that does not know the flag only says so on stderr.
 */
export function keepHeapSmall(given: readonly string[] = process.execArgv): void {
  if (given.some((option) => option.replaceAll('_', '-').startsWith(FLAG))) return;
  setFlagsFromString(`${FLAG}=${GROWING_PERCENT}`);
}
