import { expect, test } from 'vitest';
import { addCounts, countsLine, countTests } from '../test-counts.mjs';

const file = (status, ...tests) => ({
  name: 'x.test.ts',
  status,
  assertionResults: tests.map(([status, fullName]) => ({ status, fullName })),
});

test('counts tests by status and a file that did not load as one failure', () => {
  const report = {
    testResults: [
      file('passed', ['passed', 'a'], ['skipped', 'b needs chromium']),
      file('failed', ['failed', 'c'], ['passed', 'd']),
      file('failed'),
    ],
  };
  const counts = countTests(report);
  expect(countsLine(counts)).toBe('2 passed, 2 failed, 1 skipped');
  expect(counts.remarks).toContain('failed to load: x.test.ts');
});

test('a skip is a failure where the program is promised or no reason is given', () => {
  const report = {
    testResults: [
      file(
        'passed',
        ['skipped', 'page needs chromium'],
        ['skipped', 'parity needs data'],
        ['skipped', 'forgotten'],
      ),
    ],
  };
  expect(countTests(report, ['chromium'])).toMatchObject({ passed: 0, failed: 2, skipped: 1 });
  expect(countTests(report, [])).toMatchObject({ failed: 0, skipped: 3 });
});

test('sums counts and leaves the skipped out of the line when there are none', () => {
  const one = { passed: 3, failed: 1, skipped: 0, remarks: ['x'] };
  expect(countsLine(addCounts(one, one))).toBe('6 passed, 2 failed');
});
