import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['shared/**/*.test.ts', 'services/**/*.test.{ts,tsx}', 'infra/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    // Two cores: more workers would only take turns.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
