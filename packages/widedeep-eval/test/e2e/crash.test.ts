import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../bench/whole-set.ts', import.meta.url));
const folder = () => join(temporaryFolder(), 'run');
const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');

/** Judges the pairs in a process of its own, which kills itself when so many are done. */
function judged(data: string, out: string, killAt = 'never') {
  const sources = ['--conditions=@lab/source', '--import', import.meta.resolve('tsx')];
  const child = spawn(process.execPath, [...sources, script, data, out, 'all', killAt], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise<NodeJS.Signals | number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
}

test('a run that is killed goes on to the bytes of one that was not', async () => {
  const data = join(temporaryFolder(), 'pairs.jsonl');
  const rows = Array.from({ length: 200 }, (_, at) => ({
    ...{
      id: `p${at}`,
      question: `Question ${at}?`,
      answer1: 'a'.repeat(at),
      answer2: 'b'.repeat(40),
    },
    gold: at % 2 === 0 ? '1' : '2',
  }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
  const [whole, killed] = [folder(), folder()];
  expect(await judged(data, whole)).toBe(0);
  expect(await judged(data, killed, '60')).toBe('SIGKILL');
  expect(bytes(killed)).not.toBe(bytes(whole));
  expect(await judged(data, killed)).toBe(0);
  expect(bytes(killed)).toBe(bytes(whole));
});
