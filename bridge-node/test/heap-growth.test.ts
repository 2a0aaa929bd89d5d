import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { keepHeapSmall } from '../src/heap-growth.js';

describe('keepHeapSmall', () => {
  it('names a flag that this V8 knows', () => {
    const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
    expect(options).toContain('--heap-growing-percent');
  });

  it('does nothing where a person has set it', () => {
    expect(() => keepHeapSmall(['--heap_growing_percent=100'])).not.toThrow();
  });
});
