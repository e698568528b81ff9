import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ibmea, metricsOf, small, writePair } from './ibmea-process.js';

const fixture = fileURLToPath(new URL('fixture/with-images/', import.meta.url));
const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const COUNT = 80;

beforeAll(() => {
  const random = createRandom(8);
  const rows = Array.from({ length: 4 * COUNT }, () => [
    random.integer(COUNT),
    random.integer(5),
    random.integer(COUNT),
  ]);
  for (const side of ['a', 'b']) {
    const lines = rows.map(([h, r, t]) => `${side}:${h},${side}:rel${r},${side}:${t}`);
    writeFileSync(path(`${side}.csv`), `head,relation,tail\n${lines.join('\n')}\n`);
  }
  const links = Array.from({ length: 50 }, (_, i) => `a:${i},b:${i}`);
  writeFileSync(path('links.csv'), `source,target\n${links.join('\n')}\n`);
});

describe('align two graphs of CSV', () => {
  it('writes pairs, then from the run one-to-one pairs and N-Triples', async () => {
    const runs = temporaryFolder();
    const out = path('pairs.csv');
    const files = ['--source', path('a.csv'), '--target', path('b.csv')];
    const argv = ['align', ...files, '--links', path('links.csv'), '--epochs', '40', '--json'];
    const first = await ibmea([...argv, '--runs', runs, '--out', out, ...small]);
    expect(first.code, first.stderr).toBe(0);
    const result = JSON.parse(first.stdout) as { run: string; pairs: number; sources: number };
    expect(result).toMatchObject({ status: 'success', pairs: 40, sources: 40 });
    const rows = readFileSync(out, 'utf8').trim().split(/\r?\n/);
    expect(rows[0]).toBe('source,target,confidence,score,margin,mutual');
    expect(rows).toHaveLength(41);
    const isRight = (row: string) => {
      const [source, target] = row.split(',');
      return source!.slice(2) === target!.slice(2);
    };
    expect(rows.slice(1).filter(isRight).length).toBeGreaterThan(20);
    // The surest quarter is better than the rest.
    expect(rows.slice(1, 11).filter(isRight).length).toBeGreaterThanOrEqual(8);

    const triples = path('pairs.nt');
    const options = ['--matching', 'greedy', '--min-confidence', '0.05', '--out', triples];
    const second = await ibmea(['align', '--run', result.run, ...options]);
    expect(second.code, second.stderr).toBe(0);
    const lines = readFileSync(triples, 'utf8').trim().split('\n');
    const sameAs = '<http://www.w3.org/2002/07/owl#sameAs>';
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^<a:\\d+> ${sameAs.replace(/[.]/g, '\\.')} <b:\\d+> \\.$`));
    }
    expect(new Set(lines.map((line) => line.split(' ')[2])).size).toBe(lines.length);
    expect(second.stdout).toMatch(
      /pairs in .*pairs\.nt(; (1 entity|\d+ entities) without a counterpart)?\n/,
    );
  });

  it('without seeds pairs equal names, and says so in every output', async () => {
    const runs = temporaryFolder();
    for (const [side, host] of [
      ['a', 'http://one.org'],
      ['b', 'http://two.org'],
    ]) {
      const text = readFileSync(path(`${side}.csv`), 'utf8');
      const named = text.replaceAll(new RegExp(`${side}:(\\d+)`, 'g'), `${host}/Thing_$1`);
      writeFileSync(path(`named-${side}.csv`), named);
    }
    const files = ['--source', path('named-a.csv'), '--target', path('named-b.csv')];
    const argv = ['align', ...files, '--seeds', 'auto:names', '--epochs', '2', '--json'];
    const out = path('named.csv');
    const { code, stdout, stderr } = await ibmea([
      ...argv,
      ...['--runs', runs, '--out', out],
      ...small,
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/AUTOMATIC: unverified pairs of equal names/);
    const { run, seedOrigin } = JSON.parse(stdout) as { run: string; seedOrigin: string };
    expect(seedOrigin).toMatch(/AUTOMATIC/);
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toMatch(/AUTOMATIC/);
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toMatch(/AUTOMATIC/);
  });
});

describe('images', () => {
  it('as npy with ids and as the pickle of the community give the same training', async () => {
    const metrics: string[] = [];
    for (const names of [['images.npy', 'images_ids.txt'], ['pair_id_img_feature_dict.pkl']]) {
      const data = await writePair(40);
      for (const name of names) cpSync(join(fixture, name), join(data, name));
      const argv = ['train', '--data', data, '--epochs', '2', '--out', temporaryFolder(), ...small];
      const { code, stdout, stderr } = await ibmea([...argv, '--json']);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/modalities image, attribute, relation, graph/);
      metrics.push(metricsOf((JSON.parse(stdout) as { run: string }).run));
    }
    expect(metrics[0]).toBe(metrics[1]);
  });

  it('a pickle that would run code is refused and runs nothing', async () => {
    const data = await writePair(40);
    const trap = join(temporaryFolder(), 'touched');
    // os.system("touch <trap>") in protocol 0.
    writeFileSync(join(data, 'images.pkl'), `cos\nsystem\n(S'touch ${trap}'\ntR.`);
    const argv = ['check', '--data', data, '--images', join(data, 'images.pkl')];
    const { code, stdout } = await ibmea(argv);
    expect(code).toBe(3);
    expect(stdout).toContain('images.pkl');
    expect(stdout).toMatch(/os[ .]system/);
    expect(existsSync(trap)).toBe(false);
  });
});
