import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord, sha256 } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram } from '../__fixtures__/run-program.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const places = Array.from({ length: 40 }, (_, at) => at);

beforeAll(() => {
  for (const side of ['a', 'b']) {
    const rows = places.map((at) => `${side}${at},next,${side}${(7 * at + 1) % 40}\n`);
    writeFileSync(path(`${side}.csv`), rows.join(''));
  }
  writeFileSync(path('links.csv'), places.map((at) => `a${at},b${at}\n`).join(''));
});

const own = () => ['--source', path('a.csv'), '--target', path('b.csv')];
const seedLines = (count: number) => places.slice(0, count).map((at) => `a${at}\tb${at}\n`);

async function trained(...flags: string[]) {
  const argv = ['train', ...own(), ...flags, '--epochs', '2', '--out', temporaryFolder()];
  const { code, stdout, stderr } = await runProgram(...argv, ...quick, '--json');
  expect(code, stderr).toBe(0);
  return { stderr, ...(JSON.parse(stdout) as { run: string; metrics: unknown; seeds: number }) };
}

describe('--seeds FILE', () => {
  it('trains where the file takes all links, and says that none is left to test', async () => {
    writeFileSync(path('all.tsv'), seedLines(40).join(''));
    const { stderr, metrics, run } = await trained(
      ...['--links', path('links.csv'), '--seeds', path('all.tsv')],
    );
    const remark = 'No test pairs are left: all 40 links are seeds.';
    expect(stderr).toContain(`note   ${remark}`);
    expect(metrics).toBeNull();
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain(remark);
    const some = await trained('--seeds', path('all.tsv'));
    expect(some.stderr).not.toContain('No test pairs are left');
  });

  it('is a file of the run: hashed, and refused when it has changed', async () => {
    const seeds = path('seeds.tsv');
    writeFileSync(seeds, seedLines(30).join(''));
    const { run } = await trained('--links', path('links.csv'), '--seeds', seeds);
    const text = readFileSync(seeds, 'utf8');
    const record = { path: seeds, sha256: sha256(text), bytes: Buffer.byteLength(text) };
    expect(readRunRecord(run).data).toContainEqual(record);
    expect(readRunRecord(run).data).toHaveLength(4);

    const review = path('review.csv');
    await runProgram('review', '--run', run, '--out', review, '--count', '1');
    const [header, row] = readFileSync(review, 'utf8').split('\n');
    writeFileSync(review, `${header}\n${row}yes\n`);
    const flags = ['--decisions', review, '--out', seeds];
    const over = await runProgram('review', '--run', run, ...flags);
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('was trained on')]);
    expect(readFileSync(seeds, 'utf8')).toBe(text);

    writeFileSync(seeds, seedLines(29).join(''));
    for (const argv of [
      ['report', run],
      ['align', '--run', run, '--out', path('pairs.csv')],
    ]) {
      const { code, stderr } = await runProgram(...argv);
      expect([code, stderr]).toEqual([
        3,
        expect.stringContaining('seeds.tsv has changed since the training'),
      ]);
    }
    expect(await runProgram('train', '--resume', run)).toMatchObject({ code: 3 });
  });
});
