import '../trust-anchor.mjs';

// libsignal prints whole sessions to the console.
for (const method of ['info', 'warn', 'error'] as const) console[method] = () => undefined;
