import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    // A whole canvas is drawn in some tests, which takes its time beside other work.
    testTimeout: 20_000,
    setupFiles: ['labextension/tests/setup.ts'],
    include: ['labextension/tests/**/*.test.{ts,tsx}'],
    coverage: {
      provider: 'v8',
      include: ['labextension/src/**/*.{ts,tsx}'],
      // Types only; and the hosts' entries, which only a real Jupyter can run (tests/browser does).
      exclude: ['labextension/src/model/schema.ts', 'labextension/src/lab/index.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 80 },
    },
  },
});
