import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { exampleModel } from '@lab/transformer';
import { beforeAll, expect, test } from 'vitest';
import { organismCollection } from './__fixtures__/organism.js';
import { collectStates, unitStarts } from './collect.js';
import { openCollection } from './collection.js';

const whole = join(temporaryFolder(), 'run');
const settings = ['states.unitPrompts=5'];

beforeAll(async () => {
  await collectStates(await organismCollection(whole, { settings }));
});

const bytesOf = (dir: string) =>
  Object.fromEntries(
    readdirSync(join(dir, 'states'))
      .toSorted()
      .map((name) => [name, readFileSync(join(dir, 'states', name)).toString('base64')]),
  );

test('a collection is opened with states, labels, prompts and settings', async () => {
  const { store, prompts, config, record } = openCollection(whole);
  expect([store.stateCount, store.rowCount, store.width]).toEqual([6, 12, 128]);
  expect(store.about.classes).toEqual(['answered', 'refused']);
  expect([...store.labels]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  expect(prompts).toHaveLength(12);
  expect(config.states.unitPrompts).toBe(5);
  expect(record.status).toBe('success');
  expect(record.results).toEqual({ rows: 12 });
  expect((await store.readState(5)).some((value) => value !== 0)).toBe(true);
});

test('an interrupted collection goes on to the same bytes', async () => {
  const dir = join(temporaryFolder(), 'run');
  const stop = new AbortController();
  const options = await organismCollection(dir, { settings });
  const stopped = collectStates({
    ...options,
    signal: stop.signal,
    onProgress: ({ done }) => done >= 5 && stop.abort(new InterruptedError('interrupted by test')),
  });
  await expect(stopped).rejects.toThrow('interrupted');
  expect(readRunRecord(dir).status).toBe('interrupted');
  expect(() => openCollection(dir)).toThrow('5 of 12 rows are there');
  const seen: number[] = [];
  await collectStates({
    ...options,
    isResumed: true,
    onProgress: ({ stage, done }) => stage === 'collecting' && seen.push(done),
  });
  expect(seen).toEqual([5, 10, 12]);
  expect(bytesOf(dir)).toEqual(bytesOf(whole));
  expect(readRunRecord(dir).status).toBe('success');
});

test('another model is refused where a collection goes on', async () => {
  const dir = join(temporaryFolder(), 'run');
  const options = await organismCollection(dir);
  await collectStates(options);
  const modelPath = exampleModel('planted-early');
  await expect(collectStates({ ...options, modelPath, isResumed: true })).rejects.toThrow(
    'holds other states, model, tokenizerFingerprint',
  );
});

test('a folder that holds a run is not written over', async () => {
  await expect(collectStates(await organismCollection(whole))).rejects.toThrow(
    'holds a run already',
  );
});

test('units are larger where weights are read for each of them', () => {
  const prompts = Array.from({ length: 10 }, () => ({ id: 'x', ids: [1, 2, 3] }));
  const architecture = { width: 2 ** 26 } as Parameters<
    typeof unitStarts
  >[1]['model']['architecture'];
  const starts = (residency: 'resident' | 'streamed') =>
    unitStarts(prompts, { unitPrompts: 1, model: { architecture, residency } });
  expect(starts('resident')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  // 2^30 bytes hold four tokens of 2^26 numbers.
  expect(starts('streamed')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const narrow = { ...architecture, width: 2 ** 25 };
  const model = { architecture: narrow, residency: 'streamed' as const };
  expect(unitStarts(prompts, { unitPrompts: 1, model })).toEqual([0, 2, 4, 6, 8, 10]);
});
