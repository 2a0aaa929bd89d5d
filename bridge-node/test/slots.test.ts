import { describe, expect, it } from 'vitest';
import { Slots } from '../src/slots.js';

describe('slots', () => {
  it('run so many at a time, in order, whether they succeed or not', async () => {
    const slots = new Slots(2);
    const begun: number[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const runs = [0, 1, 2, 3].map((number) =>
      slots.run(() => {
        begun.push(number);
        return new Promise<number>((resolve, reject) => {
          ends[number] = (error) => (error ? reject(error) : resolve(number));
        });
      }),
    );
    expect(begun).toEqual([0, 1]);
    ends[1]?.(new Error('failed'));
    await expect(runs[1]).rejects.toThrow('failed');
    const late = slots.run(async () => begun.push(4));
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    ends[3]?.();
    expect(await Promise.all([runs[0], runs[2], runs[3], late])).toEqual([0, 2, 3, 5]);
  });
});
