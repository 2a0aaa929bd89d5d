import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    // Two processes at a time suit a two-core machine; each test file has a simulator of its own.
    maxWorkers: 2,
    coverage: { include: ['src/**/*.ts'], exclude: ['src/main.ts'], reporter: ['text'] },
  },
});
