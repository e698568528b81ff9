import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram } from './__fixtures__/run-program.js';
import { automaticWarnings, isAutomatic, validationText } from './automatic-seeds.js';

const LABEL = 'AUTOMATIC: unverified pairs of equal names';
/** Entities of a side; the first 60 have the same name on both, all are linked. */
const COUNT = 110;
const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const own = ['--source', path('a.csv'), '--target', path('b.csv'), '--links', path('links.csv')];
const seeds = ['--seeds', 'auto:names'];
let run: string;
let printed: { stdout: string; stderr: string; code: number };

const nameOf = (side: string, index: number) =>
  `http://${side}.org/${index < 60 ? `Thing_${index}` : `${side}${index}`}`;

beforeAll(async () => {
  await selectBackend('wasm');
  const random = createRandom(8);
  const rows = Array.from({ length: 4 * COUNT }, () => [
    random.integer(COUNT),
    random.integer(5),
    random.integer(COUNT),
  ]);
  for (const side of ['a', 'b']) {
    const lines = rows.map(([h, r, t]) => [nameOf(side, h!), `${side}r${r}`, nameOf(side, t!)]);
    writeFileSync(path(`${side}.csv`), `head,relation,tail\n${lines.join('\n')}\n`);
  }
  const links = Array.from({ length: COUNT }, (_, i) => `${nameOf('a', i)},${nameOf('b', i)}`);
  writeFileSync(path('links.csv'), `source,target\n${links.join('\n')}\n`);
  const runs = temporaryFolder();
  const settings = [...quick, '--set', 'data.validationShare=0.6'];
  const argv = ['train', ...own, ...seeds, '--epochs', '15', '--out', runs, ...settings];
  printed = await runProgram(...argv);
  run = / report (.*)\/report\.html/.exec(printed.stdout)?.[1] ?? '';
});

describe('automatic seeds beside links are labelled', () => {
  it('in what train says: lines at the start, table, page, results', () => {
    expect(printed.code, printed.stderr).toBe(0);
    const cut = '36 AUTOMATIC validation pairs (equal names, not verified)';
    expect(printed.stderr).toContain(`24 seeds (${LABEL} less 36 for validation), ${cut}`);
    expect(printed.stdout).toContain(`\nseeds are ${LABEL} less 36 for validation\n`);
    const page = readFileSync(join(run, 'report.html'), 'utf8');
    expect(page).toContain(`The seeds are ${LABEL} less 36 for validation. ${cut} were cut`);
    expect(page).toContain(`Fitted on ${cut}`);
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toContain(LABEL);
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).toContain(`note: The seeds are ${LABEL}`);
    const first = readFileSync(join(run, 'predictions.jsonl'), 'utf8').split('\n')[0]!;
    expect(JSON.parse(first)).toMatchObject({ seeds: 'automatic' });
  });

  it('in evaluate, as JSON and as a table', async () => {
    const { stdout } = await runProgram('evaluate', run, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      metrics: { forward: expect.anything() as unknown },
      seedOrigin: expect.stringContaining(LABEL) as unknown,
    });
    expect((await runProgram('evaluate', run)).stdout).toContain(`\nseeds are ${LABEL}`);
  });

  it('in check, a dry run, and the pages of one run and of several', async () => {
    expect((await runProgram('check', ...own, ...seeds)).stdout).toContain(
      `note: The seeds are ${LABEL}`,
    );
    const dry = await runProgram('train', ...own, ...seeds, '--dry-run');
    expect(dry.stdout).toContain(LABEL);
    expect((await runProgram('report', run)).stdout).toContain(LABEL);
    const page = path('comparison.html');
    await runProgram('report', run, run, '--out', page);
    expect(readFileSync(page, 'utf8')).toContain(LABEL);
  });

  it('in the pairs: a column in CSV and TSV, a key in JSON, a comment in triples', async () => {
    const pairs: Record<string, string> = {};
    for (const format of ['csv', 'tsv', 'jsonl', 'nt']) {
      const out = path(`pairs.${format}`);
      const { stdout } = await runProgram('align', '--run', run, '--out', out);
      expect(stdout).toContain(LABEL);
      pairs[format] = readFileSync(out, 'utf8');
    }
    const rows = (format: string) => pairs[format]!.trim().split(/\r?\n/);
    expect(rows('csv')[0]).toMatch(/,mutual,seeds$/);
    expect(
      rows('csv')
        .slice(1)
        .every((row) => row.endsWith(',automatic')),
    ).toBe(true);
    expect(rows('tsv')[1]).toMatch(/\tautomatic$/);
    expect(JSON.parse(rows('jsonl')[0]!)).toMatchObject({ seeds: 'automatic' });
    expect(rows('nt')[0]).toBe(`# seeds of the training ${LABEL} less 36 for validation`);
    expect(rows('nt')[1]).toMatch(/^<http/);
  });
});

describe('other seeds', () => {
  it('get no label', () => {
    const validation = Int32Array.of(0, 1);
    expect(isAutomatic('all links')).toBe(false);
    expect(automaticWarnings({ origin: 'all links', validation })).toEqual([]);
    expect(validationText(1, 'all links')).toBe('1 validation pair');
    expect(validationText(1, LABEL)).toBe(
      '1 AUTOMATIC validation pair (equal names, not verified)',
    );
  });
});
