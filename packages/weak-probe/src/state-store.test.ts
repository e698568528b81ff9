import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { openStateStore, type StateStoreAbout } from './state-store.js';
import { openStateWriter } from './state-writer.js';

const about: StateStoreAbout = {
  schemaVersion: 1,
  model: { path: 'm', fingerprint: 'f', modelType: 'llama', layerCount: 1 },
  tokenizerFingerprint: 't',
  ...{ format: 'direct', system: '', normalisation: 'period' },
  ...{ site: 'residual', positions: 'last', isNormed: false },
  ...{ stateCount: 2, width: 3, rowCount: 5, classes: ['a', 'b'], promptsSha256: 'p' },
};
const rowOf = (at: number) => ({
  ...{ id: `p${at}`, label: at < 3 ? 'a' : 'b', promptSha256: String(at), tokens: at },
});
const valuesOf = (state: number, first: number, count: number) =>
  Float32Array.from({ length: count * 3 }, (_, at) => 100 * state + 3 * first + at);

function fill(folder: string, from: number, to: number) {
  const writer = openStateWriter(folder, about);
  expect(writer.rowsDone).toBe(from);
  for (const state of [1, 0]) writer.write(state, valuesOf(state, from, to - from));
  writer.commit(Array.from({ length: to - from }, (_, at) => rowOf(from + at)));
}

test('what was written is read state by state, with labels', async () => {
  const folder = temporaryFolder();
  fill(folder, 0, 2);
  fill(folder, 2, 5);
  const store = openStateStore(folder);
  expect(store.rows.map(({ id }) => id)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
  expect([...store.labels]).toEqual([0, 0, 0, 1, 1]);
  expect(await store.readState(0)).toEqual(valuesOf(0, 0, 5));
  expect(await store.readState(1)).toEqual(valuesOf(1, 0, 5));
  await expect(store.readState(2)).rejects.toMatchObject({
    help: expect.stringContaining('Give 0 to 1') as string,
  });
});

test('a unit that was not committed is written again, to the same bytes', () => {
  const [folder, killed] = [temporaryFolder(), temporaryFolder()];
  fill(folder, 0, 2);
  fill(folder, 2, 5);
  fill(killed, 0, 2);
  // A unit of which one state and half of the rows' lines were written.
  const writer = openStateWriter(killed, about);
  writer.write(1, valuesOf(7, 0, 3));
  const rows = join(killed, 'rows.jsonl');
  writeFileSync(rows, `${readFileSync(rows, 'utf8')}{"id": "p2", "la`);
  expect(() => openStateStore(killed)).toThrow('2 of 5 rows are there');
  fill(killed, 2, 5);
  for (const name of ['00.npy', '01.npy', 'rows.jsonl', 'about.json']) {
    expect(readFileSync(join(killed, name))).toEqual(readFileSync(join(folder, name)));
  }
});

test('a store goes on at the begin of a unit', () => {
  const folder = temporaryFolder();
  fill(folder, 0, 3);
  expect(openStateWriter(folder, about, (saved) => saved - 1).rowsDone).toBe(2);
  expect(openStateWriter(folder, about).rowsDone).toBe(2);
});

test('other states are refused, saying what differs; a model may move', () => {
  const folder = temporaryFolder();
  fill(folder, 0, 2);
  const model = { ...about.model, path: 'elsewhere' };
  expect(openStateWriter(folder, { ...about, model }).rowsDone).toBe(2);
  const other = { ...about, format: 'chat', promptsSha256: 'q' };
  expect(() => openStateWriter(folder, other)).toThrow('format, promptsSha256 differ');
});

test('a folder without states, and one of another version, say what to do', () => {
  const folder = temporaryFolder();
  expect(() => openStateStore(folder)).toThrow('holds no states');
  writeFileSync(join(folder, 'about.json'), '{ "schemaVersion": 2 }');
  expect(() => openStateStore(folder)).toThrow('schemaVersion');
});
