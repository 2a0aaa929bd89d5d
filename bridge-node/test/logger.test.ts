import { afterEach, describe, expect, it, vi } from 'vitest';
import { baileysLogger } from '../src/logger.js';

afterEach(() => vi.restoreAllMocks());

function logged(write: (logger: ReturnType<typeof baileysLogger>) => void): Record<string, unknown> {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  write(baileysLogger({ session_id: 's1' }));
  return JSON.parse(String(written.mock.calls[0]?.[0]));
}

describe('the log of Baileys', () => {
  it('says why something failed, without numbers or the object that came with it', () => {
    const err = new Error('Bad MAC for 5511999990000');
    const line = logged((logger) =>
      logger.error({ err, key: { remoteJid: 'secret' } }, 'failed to decrypt message'),
    );
    expect(line).toMatchObject({
      level: 'warn',
      message: 'failed to decrypt message',
      source: 'baileys',
      session_id: 's1',
      cause: 'Bad MAC for #',
    });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('takes a sentence alone, or an object without an error', () => {
    expect(logged((logger) => logger.warn('careful'))).toMatchObject({ message: 'careful' });
    vi.restoreAllMocks();
    expect(logged((logger) => logger.warn({ trace: 'x' }, 'closed'))).not.toHaveProperty('cause');
  });
});
