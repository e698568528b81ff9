import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { quick, runProgram, smallFolder } from '../__fixtures__/run-program.js';

let run = '';
let data = '';
let folder = '';
beforeAll(async () => {
  await selectBackend('wasm');
  data = await smallFolder();
  const argv = ['train', '--data', data, '--out', temporaryFolder(), '--epochs', '6', '--json'];
  const share = ['--set', 'data.validationShare=0.25', '--set', 'data.split=sha256'];
  const { code, stdout, stderr } = await runProgram(...argv, ...quick, ...share);
  expect(code, stderr).toBe(0);
  run = (JSON.parse(stdout) as { run: string }).run;
});
beforeEach(() => {
  folder = temporaryFolder();
});

const path = (name: string) => join(folder, name);
const review = (...flags: string[]) => runProgram('review', '--run', run, ...flags);
const linesOf = (file: string) => readFileSync(file, 'utf8').trim().split('\n');

/** Writes a review of some pairs with these decisions, one a row. */
async function decided(...decisions: readonly string[]): Promise<string[]> {
  const count = String(decisions.length);
  const { code, stderr } = await review('--out', path('review.csv'), '--count', count);
  expect(code, stderr).toBe(0);
  const [header, ...rows] = linesOf(path('review.csv'));
  const text = rows.map((row, at) => `${row}${decisions[at]}\n`).join('');
  writeFileSync(path('review.csv'), `${header}\n${text}`);
  return rows;
}

describe('review', () => {
  it('writes pairs and a page, and says how to go on', async () => {
    const flags = ['--out', path('review.csv'), '--page', path('review.html'), '--count', '5'];
    const { code, stdout, stderr } = await review(...flags);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`5 pairs to review in ${path('review.csv')}`);
    expect(stdout).toContain(`table review --run ${run} --decisions`);
    expect(linesOf(path('review.csv'))).toHaveLength(6);
    expect(readFileSync(path('review.html'), 'utf8')).toContain('5 pairs to decide');
  });

  it('makes seeds of decisions that train takes, and keeps what was refused', async () => {
    await decided('yes', 'no', '');
    const flags = ['--decisions', path('review.csv'), '--out', path('seeds.tsv')];
    const { code, stdout, stderr } = await review(...flags);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('1 pair confirmed, 1 refused, 1 undecided');
    expect(stdout).toContain(`next: table train --data ${data} --seeds ${path('seeds.tsv')}`);
    expect(linesOf(path('refused.tsv'))).toHaveLength(1);
    // 12 of the 40 links were given to the run: 9 seeds and 3 for validation.
    expect(linesOf(path('seeds.tsv'))).toHaveLength(13);
    const argv = ['train', '--data', data, '--seeds', path('seeds.tsv'), '--epochs', '1'];
    const again = await runProgram(...argv, '--out', temporaryFolder(), ...quick, '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ seeds: 13 });
  });

  it('does not propose what was refused, and adds to it', async () => {
    const [row] = await decided('no');
    const flags = ['--decisions', path('review.csv'), '--out', path('seeds.tsv')];
    await review(...flags);
    const refused = ['--refused', path('refused.tsv')];
    const all = await review('--out', path('all.csv'), ...refused, '--json');
    expect(JSON.parse(all.stdout)).toMatchObject({ refused: 1 });
    const pair = row!.split(',').slice(0, 2).join(',');
    expect(linesOf(path('all.csv')).filter((line) => line.startsWith(`${pair},`))).toEqual([]);
    const [header, second] = linesOf(path('all.csv'));
    writeFileSync(path('more.csv'), `${header}\n${second}no\n`);
    const more = await review('--decisions', path('more.csv'), ...refused, '--out', path('s.tsv'));
    expect(more.code, more.stderr).toBe(0);
    expect(linesOf(path('refused.tsv'))).toHaveLength(2);
  });

  it('with any bad decision tells all and writes nothing', async () => {
    await decided('yes', 'perhaps', 'nobody');
    const flags = ['--decisions', path('review.csv'), '--out', path('seeds.tsv')];
    const { code, stdout, stderr } = await review(...flags);
    expect(code).toBe(3);
    expect(stdout).toMatch(/1\. .*line 3: the decision "perhaps"[^]*2\. .*line 4: .*"nobody"/);
    expect(stderr).toContain('2 defects in the data');
    expect(existsSync(path('seeds.tsv')) || existsSync(path('refused.tsv'))).toBe(false);
  });

  it.each([
    [[], /--run is missing/],
    [
      ['--run', 'x', '--decisions', 'd.csv', '--count', '3', '--page', 'p'],
      /--count, --page would/,
    ],
    [['--run', 'x', '--count', '0'], /--count is 0/],
    [['--run', 'x', '--out', 'review.xlsx'], /is no table/],
    [['--run', 'x', '--page', '/no/such/folder/p.html'], /--page .* there is no folder/],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await runProgram('review', ...flags);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(stderr).toMatch(/\n {2}help: /);
  });

  it('says when the file of refused pairs is missing', async () => {
    const { code, stderr } = await review('--refused', path('none.tsv'), '--out', path('r.csv'));
    expect([code, stderr]).toEqual([3, expect.stringContaining('missing file')]);
  });
});
