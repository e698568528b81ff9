import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeDigest, readLongChecks, stateOf } from '../long-registry.mjs';

let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-long-'));
  mkdirSync(join(dir, 'bench', 'long'), { recursive: true });
  mkdirSync(join(dir, 'src'));
  writeFileSync(join(dir, 'src', 'a.ts'), 'export const a = 1;\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

const declare = (file, text) => writeFileSync(join(dir, 'bench', 'long', file), text);
const good = `export const name = 'scale';
export const summary = 'trains at 100k';
export const command = ['node', 'x.mjs'];
export const codePaths = ['src'];\n`;

test('reads declared checks and refuses one without a command', async () => {
  declare('scale.mjs', good);
  expect(await readLongChecks([{ dir }])).toMatchObject([{ name: 'scale', codePaths: ['src'] }]);
  declare('broken.mjs', "export const name = 'broken';\n");
  await expect(readLongChecks([{ dir }])).rejects.toThrow(/must export name/);
});

test('refuses two checks of one name', async () => {
  declare('a.mjs', good);
  declare('b.mjs', good);
  await expect(readLongChecks([{ dir }])).rejects.toThrow(/two long checks are called scale/);
});

test('an entry turns stale when the code changes, not when a test does', () => {
  const check = { name: 'scale' };
  const digest = codeDigest(['src'], dir);
  const entries = [{ name: 'scale', code: digest, status: 'success' }];
  expect(stateOf(check, [], digest)).toBe('never run');
  expect(stateOf(check, entries, digest)).toBe('current');
  writeFileSync(join(dir, 'src', 'a.test.ts'), 'changed');
  expect(stateOf(check, entries, codeDigest(['src'], dir))).toBe('current');
  writeFileSync(join(dir, 'src', 'a.ts'), 'export const a = 2;\n');
  expect(stateOf(check, entries, codeDigest(['src'], dir))).toBe('stale');
});

test('a failed newest entry is not current, and a missing code path is an error', () => {
  const entries = [
    { name: 'scale', code: 'x', status: 'success' },
    { name: 'scale', code: 'x', status: 'interrupted' },
  ];
  expect(stateOf({ name: 'scale' }, entries, 'x')).toBe('interrupted');
  expect(() => codeDigest(['nowhere'], dir)).toThrow(/nowhere does not exist/);
});
