import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram, smallFolder } from '../__fixtures__/run-program.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const COUNT = 60;
/** Of the first graph these come later. */
const LATE = 50;
let run = '';

beforeAll(async () => {
  await selectBackend('wasm');
  const random = createRandom(8);
  const rows = Array.from({ length: 5 * COUNT }, () => [
    random.integer(COUNT),
    random.integer(5),
    random.integer(COUNT),
  ]) as [number, number, number][];
  const write = (file: string, side: string, kept: (row: readonly number[]) => boolean) => {
    const lines = rows.filter(kept).map(([h, r, t]) => `${side}${h},rel${r},${side}${t}`);
    writeFileSync(path(file), `head,relation,tail\n${lines.join('\n')}\n`);
  };
  const isEarly = ([head, , tail]: readonly number[]) => head! < LATE && tail! < LATE;
  write('a.csv', 'a', isEarly);
  write('late.csv', 'a', (row) => !isEarly(row));
  write('b.csv', 'b', () => true);
  const links = Array.from({ length: 40 }, (_, i) => `a${i},b${i}`);
  writeFileSync(path('links.csv'), `source,target\n${links.join('\n')}\n`);
  const own = ['--source', path('a.csv'), '--target', path('b.csv'), '--links', path('links.csv')];
  const argv = ['train', ...own, '--epochs', '40', '--out', temporaryFolder(), ...quick, '--json'];
  const { code, stdout, stderr } = await runProgram(...argv);
  expect(code, stderr).toBe(0);
  run = (JSON.parse(stdout) as { run: string }).run;
});

const pairsOf = (out: string) =>
  readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',') as [string, string]);

describe('align --added', () => {
  it('finds counterparts of the added entities alone, without training', async () => {
    const out = path('added.csv');
    const argv = ['align', '--run', run, '--added', path('late.csv'), '--out', out, '--json'];
    const { code, stdout, stderr } = await runProgram(...argv);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'success',
      sources: 10,
      pairs: 10,
      added: { side: 'source', entities: 10, isolated: [], unknownRelations: [] },
    });
    const pairs = pairsOf(out);
    expect(pairs.map(([source]) => source).sort()).toEqual(
      Array.from({ length: 10 }, (_, at) => `a${LATE + at}`),
    );
    const right = pairs.filter(([source, target]) => source.slice(1) === target.slice(1));
    expect(right.length).toBeGreaterThanOrEqual(3); // by chance 10 / 28
  });

  it('to the second graph; the first stays the first column', async () => {
    const out = path('right.csv');
    const file = path('new-b.csv');
    writeFileSync(file, 'bNew,rel1,b3\nbNew,rel9,b4\nbFar,rel9,b4\n');
    const argv = ['align', '--run', run, '--added', file, '--side', 'target', '--out', out];
    const { code, stdout, stderr } = await runProgram(...argv);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('2 pairs of 2 added entities in');
    expect(stderr).toContain('2 triples left out, of relations the run does not know: rel9 (2)');
    expect(stderr).toContain('1 added entity without a path to known ones: bFar');
    const pairs = pairsOf(out);
    expect(pairs.map(([, target]) => target).sort()).toEqual(['bFar', 'bNew']);
    for (const [source] of pairs) expect(source).toMatch(/^a\d+$/);
  });

  it('says when the run compares what the added entities do not have', async () => {
    const trained = ['train', '--data', await smallFolder(), '--epochs', '2', '--json'];
    const { stdout } = await runProgram(...trained, '--out', temporaryFolder(), ...quick);
    const { run: small } = JSON.parse(stdout) as { run: string };
    writeFileSync(path('one.csv'), 'newcomer,0,1\n');
    const out = ['--out', path('one-pairs.csv')];
    const { stderr } = await runProgram(
      'align',
      '--run',
      small,
      '--added',
      path('one.csv'),
      ...out,
    );
    expect(stderr).toContain('compares attributes, the added entities have none; give them by');
    expect(stderr).toContain('compares images, the added entities have none\n');
  });

  it('refuses what would do nothing', async () => {
    const alone = await runProgram('align', '--run', run, '--side', 'target');
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('--side would do')]);
    const own = await runProgram('align', '--added', path('late.csv'));
    expect([own.code, own.stderr]).toEqual([2, expect.stringContaining('needs a trained run')]);
    const known = await runProgram('align', '--run', run, '--added', path('a.csv'));
    expect([known.code, known.stderr]).toEqual([3, expect.stringContaining('0 are new')]);
  });
});
