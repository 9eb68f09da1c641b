import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['shared/**/*.test.ts', 'services/**/*.test.{ts,tsx}', 'infra/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    // Two cores: more workers would only take turns.
    maxWorkers: 2,
    testTimeout: 30_000,
    // A shared machine answers late now and then: time to wait for is no figure of ours.
    expect: { poll: { timeout: 10_000 } },
    retry: process.env.CI ? 2 : 0,
    hookTimeout: 120_000,
  },
});
