import type { ILogger } from '@whiskeysockets/baileys/lib/Utils/logger.js';

export type LogFields = Record<string, string | number | boolean>;

/** Digit runs are phone numbers, lids or message ids: none of them belongs in a log. */
export function redact(text: string): string {
  return text.replace(/\d{5,}/g, '#').slice(0, 300);
}

/** Writes one JSON line to stderr. Callers pass no contents, phone numbers or secrets in `fields`. */
export function log(level: 'info' | 'warn' | 'error', message: string, fields: LogFields = {}): void {
  const line = { time: new Date().toISOString(), level, message: redact(message), ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/** Makes the words of an error fit for a log or a detail field. */
export function describeError(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}

const ignore = () => undefined;

/**
 * Baileys' logger: warnings and errors by their sentence and that of their cause. The objects that
 * Baileys logs with them hold stanzas, jids and keys.
 */
export function baileysLogger(fields: LogFields): ILogger {
  const logger: ILogger = {
    level: 'warn',
    child: () => logger,
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (object, message) => log('warn', sentence(object, message), { ...fields, ...cause(object) }),
    // Every closed stream is an error to Baileys, the 515 after each pairing too; what matters shows in how we close.
    error: (object, message) => log('warn', sentence(object, message), { ...fields, ...cause(object) }),
  };
  return logger;
}

function sentence(object: unknown, message: string | undefined): string {
  return message ?? (typeof object === 'string' ? object : 'no message');
}

function cause(object: unknown): LogFields {
  const { err, error } = (typeof object === 'object' && object !== null ? object : {}) as Record<
    string,
    unknown
  >;
  const thrown = err ?? error;
  return { source: 'baileys', ...(thrown instanceof Error ? { cause: describeError(thrown) } : {}) };
}

/** libsignal prints whole sessions, private keys among them, with console.*: nothing of that may get out. */
export function silenceConsole(): void {
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[method] = ignore;
}
