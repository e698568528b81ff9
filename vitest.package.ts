import { defineConfig } from 'vitest/config';

const conditions = ['@lab/source', 'module', 'node', 'import', 'default'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};

/** The test projects that every package has: `unit` (with property and types), `golden`, `e2e`. */
export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/property/**/*.test.ts'],
          typecheck: { enabled: true, include: ['test/*.test-d.ts'] },
          testTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: { name: 'golden', include: ['test/golden/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
