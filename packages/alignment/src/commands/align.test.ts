import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readNpy } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram } from '../__fixtures__/run-program.js';
import { tableMethod } from '../__fixtures__/table-method.js';
import { alignGraphs } from '../align-graphs.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const COUNT = 60;

beforeAll(async () => {
  await selectBackend('wasm');
  const random = createRandom(8);
  const rows = Array.from({ length: 4 * COUNT }, () => [
    random.integer(COUNT),
    random.integer(5),
    random.integer(COUNT),
  ]);
  for (const side of ['a', 'b']) {
    const lines = rows.map(([h, r, t]) => `${side}${h},${side}-rel${r},${side}${t}`);
    writeFileSync(path(`${side}.csv`), `head,relation,tail\n${lines.join('\n')}\n`);
  }
  const links = Array.from({ length: 40 }, (_, i) => `a${i},b${i}`);
  writeFileSync(path('links.csv'), `source,target\n${links.join('\n')}\n`);
});

const own = () => [
  '--source',
  path('a.csv'),
  '--target',
  path('b.csv'),
  '--links',
  path('links.csv'),
];

async function aligned(out: string, ...flags: string[]) {
  const argv = ['align', ...own(), '--epochs', '40', '--runs', temporaryFolder(), '--out', out];
  return runProgram(...argv, ...quick, ...flags);
}

describe('align', () => {
  it('refuses a file in a folder that is not there before it trains', async () => {
    const { code, stderr } = await aligned(join(temporaryFolder(), 'no', 'pairs.csv'));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: .*there is no folder/)]);
  });

  it('refuses a threshold that no confidence can have', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const { code, stderr } = await aligned(out, '--min-confidence', '2');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--min-confidence is 2/)]);
  });

  it('refuses a run whose files have changed, and one of another method', async () => {
    const runs = temporaryFolder();
    const out = join(temporaryFolder(), 'pairs.csv');
    const source = join(temporaryFolder(), 'a.csv');
    const text = readFileSync(path('a.csv'), 'utf8');
    writeFileSync(source, text);
    const files = ['--source', source, ...own().slice(2)];
    const argv = ['align', ...files, '--epochs', '2', '--runs', runs, '--out', out];
    const { code, stdout } = await runProgram(...argv, ...quick, '--json');
    expect(code).toBe(0);
    const { run } = JSON.parse(stdout) as { run: string };

    writeFileSync(source, `${text}a1,a-rel0,a2\n`);
    const changed = await runProgram('align', '--run', run, '--out', out);
    expect(changed.code).toBe(3);
    expect(changed.stderr).toMatch(/a\.csv has changed since the training/);

    writeFileSync(source, text);
    const again = await runProgram('align', '--run', run, '--out', out);
    expect(again.code, again.stderr).toBe(0);
    const record = readFileSync(join(run, 'run.json'), 'utf8');
    writeFileSync(join(run, 'run.json'), record.replace('"method": "table"', '"method": "other"'));
    const others = await runProgram('align', '--run', run, '--out', out);
    expect(others.code).toBe(3);
    expect(others.stderr).toMatch(/this is a run of other, not of table/);
  });

  it('says what a threshold means without a confidence', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const { code, stderr } = await aligned(out, '--min-confidence', '0.1');
    expect(code).toBe(0);
    expect(stderr).toMatch(/there is no confidence, so --min-confidence leaves out/);
  });

  it('trains on two CSV graphs and writes pairs with headings, surest first', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const { code, stdout, stderr } = await aligned(out, '--json');
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    // 32 of the 40 links are seeds, 8 are kept out for validation.
    expect(result).toMatchObject({ status: 'success', sources: 28, pairs: 28, out });
    const rows = readFileSync(out, 'utf8').trim().split(/\r?\n/);
    expect(rows[0]).toBe('source,target,confidence,score,margin,mutual');
    expect(rows).toHaveLength(29);
    const margins = rows.slice(1).map((row) => Number(row.split(',')[4]));
    expect(margins).toEqual([...margins].sort((x, y) => y - x));
    const right = rows.slice(1).filter((row) => {
      const [source, target] = row.split(',');
      return source!.slice(1) === target!.slice(1);
    });
    expect(right.length).toBeGreaterThan(14);
  });

  it('aligns from a run: one-to-one, with a threshold, as N-Triples', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const first = await aligned(out, '--json');
    const { run } = JSON.parse(first.stdout) as { run: string };
    const targetsOf = async (...flags: string[]) => {
      const file = join(temporaryFolder(), 'pairs.tsv');
      const found = await runProgram('align', '--run', run, '--out', file, ...flags);
      expect(found.code, found.stderr).toBe(0);
      const rows = readFileSync(file, 'utf8').trim().split(/\r?\n/).slice(1);
      return { targets: rows.map((row) => row.split('\t')[1]), stdout: found.stdout };
    };
    const best = await targetsOf();
    expect(best.targets).toHaveLength(28);
    const greedy = await targetsOf('--matching', 'greedy');
    expect(new Set(greedy.targets).size).toBe(greedy.targets.length);
    const mutual = await targetsOf('--matching', 'mutual');
    expect(mutual.targets.length).toBeLessThanOrEqual(greedy.targets.length);
    const sure = await targetsOf('--min-confidence', '0.99');
    expect(sure.targets.length).toBeLessThan(28);
    expect(sure.stdout).toContain('entities without a counterpart');
    const triples = join(temporaryFolder(), 'pairs.nt');
    await runProgram('align', '--run', run, '--out', triples);
    expect(readFileSync(triples, 'utf8').split('\n')[0]).toMatch(
      /^<urn:lab:a\d+> <http:\/\/www\.w3\.org\/2002\/07\/owl#sameAs> <urn:lab:b\d+> \.$/,
    );
  });

  it('writes the vectors of all entities where asked to', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const embeddings = join(temporaryFolder(), 'vectors');
    const { stdout } = await aligned(out, '--embeddings', embeddings, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ embeddings });
    const { shape } = await readNpy(join(embeddings, 'left.npy'));
    expect(shape[0]).toBe(COUNT);
    expect(readFileSync(join(embeddings, 'right.csv'), 'utf8')).toMatch(
      /^row,id,name\n0,.*,b\d+\n/,
    );
  });

  it('says that confidence is empty where too few pairs were kept out', async () => {
    const { stderr } = await aligned(join(temporaryFolder(), 'pairs.csv'));
    expect(stderr).toContain('too few known pairs outside of training to calibrate');
  });

  it('says of a run of 0 epochs that it is untrained, and how to train it', async () => {
    const out = join(temporaryFolder(), 'pairs.csv');
    const argv = ['align', ...own(), '--epochs', '0', '--runs', temporaryFolder(), '--out', out];
    const { stdout } = await runProgram(...argv, ...quick, '--json');
    const { run } = JSON.parse(stdout) as { run: string };
    const { code, stderr } = await runProgram('align', '--run', run, '--out', out);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('too few known pairs');
    expect(stderr).toContain('trained for 0 epochs');
    const [, advice] = /train on: table (.*) N;/.exec(stderr)!;
    const more = await runProgram(...advice!.split(' '), '2');
    expect(more.code, more.stderr).toBe(0);
  });

  it('refuses flags that would do nothing, and a graph alone', async () => {
    const argv = ['align', '--run', temporaryFolder(), '--seeds', 'x.csv', '--set', 'seed=1'];
    const unused = await runProgram(...argv, '--epochs', '3');
    expect(unused.code).toBe(2);
    expect(unused.stderr).toContain('--seeds, --epochs, --set would do nothing beside --run');
    const alone = await runProgram('align', '--source', path('a.csv'));
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('--target is missing')]);
  });

  it('refuses an unknown ending before it trains, leaving nothing', async () => {
    const runs = temporaryFolder();
    const out = join(temporaryFolder(), 'pairs.xlsx');
    const argv = ['align', ...own(), '--epochs', '1', '--runs', join(runs, 'new'), '--out', out];
    const { code, stderr } = await runProgram(...argv, ...quick);
    expect(code).toBe(2);
    expect(stderr).toContain('.csv');
    expect(existsSync(join(runs, 'new'))).toBe(false);
  });

  it('as a library call gives names', async () => {
    const { pairs, sources, seedOrigin } = await alignGraphs(tableMethod, {
      source: path('a.csv'),
      target: path('b.csv'),
      links: path('links.csv'),
      epochs: 3,
      settings: { 'evaluation.baseline': false },
    });
    expect([pairs.length, sources, seedOrigin]).toEqual([
      28,
      28,
      'all links less 8 for validation',
    ]);
    expect(pairs[0]!.source).toMatch(/^a\d+$/);
    expect(pairs[0]!.target).toMatch(/^b\d+$/);
  });
});
