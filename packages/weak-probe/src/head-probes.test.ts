import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { organismCollection } from './__fixtures__/organism.js';
import { run } from './__fixtures__/run-program.js';
import { collectStates } from './collect.js';
import { headProbes } from './head-probes.js';
import { readRun } from './report/read-run.js';
import { runPage } from './report/run-page.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

it('tells which head tells the classes apart, and finds chance in the others', async () => {
  // Features 0 and 1 differ between the classes: both are of the first of three heads.
  const store = memoryStore({ counts: [150, 150], distances: [6] });
  const heads = { ...store, about: { ...store.about, site: 'heads', headCount: 3 } as const };
  const found = await headProbes({ store: heads, config: settings() });
  const [first, ...others] = found!.states[0]!.heads;
  expect(found!.probe).toBe('mass-mean');
  expect(first).toMatchObject({ head: 0 });
  expect(first!.accuracy).toBeGreaterThan(0.98);
  for (const { interval } of others) expect(interval.low).toBeLessThan(0.5);
});

it('takes three classes, states in range, and is nothing of other states', async () => {
  const store = memoryStore({ counts: [60, 60, 60], distances: [0, 9] });
  const heads = { ...store, about: { ...store.about, site: 'heads', headCount: 2 } as const };
  const found = await headProbes({ store: heads, config: settings(), states: [1] });
  expect(found!.probe).toBe('nearest-centroid');
  expect(found!.states.map(({ state }) => state)).toEqual([1]);
  expect(found!.states[0]!.heads[0]!.accuracy).toBeGreaterThan(0.95);
  await expect(headProbes({ store: heads, config: settings(), states: [2] })).rejects.toThrow(
    /no state 2/,
  );
  expect(await headProbes({ store, config: settings() })).toBeNull();
});

it('stands in the result and on the page of a collection of heads', async () => {
  const dir = join(temporaryFolder(), 'heads');
  const given = { limit: 12, settings: ['data.format=chat', 'states.site=heads'] };
  const { store } = await collectStates(await organismCollection(dir, given));
  const { headCount } = store.about;
  const { code, stderr } = await run(['probe', dir, '--probes', 'svm']);
  expect(code, stderr).toBe(0);
  const results = readRun(dir);
  expect(results.probes!.heads!.states).toHaveLength(5);
  expect(results.probes!.heads!.states[0]!.heads).toHaveLength(headCount!);
  const page = await runPage(results);
  const titles = page.sections.flatMap(({ figures = [] }) =>
    figures.map(({ figure }) => figure.title),
  );
  expect(titles).toContain('Accuracy of single heads');
});
