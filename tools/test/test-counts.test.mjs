import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { expect, test } from 'vitest';
import { addCounts, countsLine, countTests } from '../test-counts.mjs';
import { filesBelow, packages, root } from '../workspace.mjs';

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

test('on a clean clone without data every skip of this repository has a reason', () => {
  const needs = skipReasons()
    .flatMap(({ titles }) => titles)
    .filter((what) => what !== '${');
  expect(needs).toEqual(expect.arrayContaining(['data', 'tmpfs', 'script', 'git', 'chromium']));
  const skipped = needs.map((what) => ['skipped', `a test (needs ${what})`]);
  const report = { testResults: [file('passed', ['passed', 'a'], ...skipped)] };
  expect(countTests(report, ['fortran'])).toMatchObject({ failed: 0, skipped: needs.length });
  expect(countTests(report, ['data']).failed).toBe(needs.filter((one) => one === 'data').length);
});

test('each test that may be skipped says what it needs, by the name that can be promised', () => {
  const wrong = skipReasons().filter(
    ({ asked, titles }) => titles.length === 0 || (asked !== null && !titles.includes(asked)),
  );
  expect(wrong).toEqual([]);
});

/**
 * Every `skipIf` in the tests of the packages: the name it asks `requireProgram` or
 * `requireCondition` for (null when that stands elsewhere) and the names in its title.
 */
function skipReasons() {
  const isTest = (path) => path.endsWith('.ts') && /(\.test\.ts|\/test\/.*)$/.test(path);
  return packages().flatMap(({ dir }) =>
    filesBelow(dir, isTest).flatMap((path) => {
      const calls = readFileSync(path, 'utf8')
        .split(/\.skipIf\(/)
        .slice(1);
      return calls.map((text) => {
        const call = text.split('=> {')[0];
        const asked = /require(?:Program|Condition)\('([\w-]+)'/.exec(call)?.[1] ?? null;
        const titles = [...call.matchAll(/\(needs ([\w-]+|\$\{)/g)].map(([, what]) => what);
        return { path: relative(root, path), asked, titles };
      });
    }),
  );
}

test('sums counts and leaves the skipped out of the line when there are none', () => {
  const one = { passed: 3, failed: 1, skipped: 0, remarks: ['x'] };
  expect(countsLine(addCounts(one, one))).toBe('6 passed, 2 failed');
});
