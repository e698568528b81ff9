import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefects } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAddedEntities } from './added-entities.js';
import { attributeFeatures, inverseFrequency, relationFeatures } from './features.js';
import type { AlignmentData } from './knowledge-graph.js';
import { readOwnGraphs } from './own-graphs.js';

const folder = temporaryFolder();

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

let base: AlignmentData;
beforeAll(async () => {
  base = await readOwnGraphs({
    source: file('a.csv', 'Paris,capital of,France\nSeine,flows through,Paris\n'),
    target: file('b.tsv', 'Paris\tcapital of\tFrance\nLoire\tflows through\tFrance\n'),
    sourceAttributes: file('a-attributes.csv', 'Paris,area\nParis,mayor\nFrance,area\n'),
  });
});

const triplesOf = ({ entityNames, relationNames, triples }: AlignmentData) =>
  Array.from(triples.heads, (head, e) =>
    [entityNames[head], relationNames[triples.relations[e]!], entityNames[triples.tails[e]!]].join(
      ' ',
    ),
  );

describe('readAddedEntities', () => {
  it('puts entities behind all others and triples behind those of their graph', async () => {
    const triples = file('more.csv', 'Lyon,capital of,France\nRhone,flows through,Lyon\n');
    const { data, added, tripleCount } = await readAddedEntities(base, { triples });
    expect([...added]).toEqual([base.entityCount, base.entityCount + 1]);
    expect(data.entityNames.slice(-2)).toEqual(['Lyon', 'Rhone']);
    expect([...data.left]).toEqual([...base.left, ...added]);
    expect([...data.right]).toEqual([...base.right]);
    expect([...data.sides.slice(-2)]).toEqual([1, 1]);
    expect([tripleCount, data.triples.leftCount]).toEqual([2, 4]);
    expect(triplesOf(data).slice(2, 4)).toEqual([
      'Lyon capital of France',
      'Rhone flows through Lyon',
    ]);
    expect(triplesOf(data).slice(4)).toEqual(triplesOf(base).slice(2));
    expect(new Set(data.entityIds).size).toBe(data.entityCount);
    expect(data.files.length).toBe(base.files.length + 1);
  });

  it('to the second graph: names of the first are not known there', async () => {
    const triples = file('right.csv', 'Seine,flows through,Paris\n');
    const { data, added } = await readAddedEntities(base, { triples, side: 2 });
    expect(data.entityNames[added[0]!]).toBe('Seine');
    expect([...data.right]).toEqual([...base.right, ...added]);
    expect(triplesOf(data).at(-1)).toBe('Seine flows through Paris');
    expect(data.triples.leftCount).toBe(2);
  });

  it('drops triples that are there already, unless they are to be kept', async () => {
    const triples = file('again.csv', 'Paris,capital of,France\nLyon,capital of,France\n');
    expect((await readAddedEntities(base, { triples })).tripleCount).toBe(1);
    const kept = await readAddedEntities(base, { triples, duplicateTriples: 'keep' });
    expect(kept.tripleCount).toBe(2);
  });

  it('counts and leaves out what the data do not know', async () => {
    const triples = file('new.csv', 'Lyon,twin of,Paris\nLyon,twin of,Seine\nLyon,near,Paris\n');
    const attributes = file('new-attributes.csv', 'Lyon,area\nLyon,dialect\nParis,dialect\n');
    const found = await readAddedEntities(base, { triples, attributes });
    expect(found.tripleCount).toBe(0);
    expect(found.unknownRelations).toEqual([
      { name: 'twin of', count: 2 },
      { name: 'near', count: 1 },
    ]);
    expect(found.unknownAttributes).toEqual([{ name: 'dialect', count: 2 }]);
    const { rowPointers, columns, names } = found.data.attributes!;
    const row = columns.slice(rowPointers[found.added[0]!], rowPointers[found.added[0]! + 1]);
    expect(Array.from(row, (column) => names[column])).toEqual(['area']);
  });

  it('N-Triples: a literal is an attribute of its subject, new or known', async () => {
    const known = '<x:Paris> <x:capital> <x:France> .\n<x:Paris> <x:area> "105" .\n';
    const graphs = { source: file('a.nt', known), target: file('b.nt', known) };
    const triples = file(
      'more.nt',
      '<x:Lyon> <x:area> "48" .\n<x:Lyon> <x:twin> <x:France> .\n<x:France> <x:area> "1" .\n',
    );
    const found = await readAddedEntities(await readOwnGraphs(graphs), { triples });
    const { data, added, unknownRelations } = found;
    const { rowPointers } = data.attributes!;
    const areas = ['x:Lyon', 'x:France'].map((name) => {
      const entity = data.entityNames.indexOf(name);
      return rowPointers[entity + 1]! - rowPointers[entity]!;
    });
    expect(areas).toEqual([1, 1]);
    expect(data.entityNames[added[0]!]).toBe('x:Lyon');
    expect(unknownRelations).toEqual([{ name: 'x:twin', count: 1 }]);
  });

  it('finds known entities and relations by id where the data have ids', async () => {
    const { keyedBy: _keyedBy, ...rest } = base;
    const withIds = {
      ...rest,
      entityIds: base.entityIds.map((id) => 100 + id),
      relationIds: base.relationIds.map((id) => 10 + id),
    };
    const triples = file('ids.csv', 'Lyon,10,101\n');
    const { data, added } = await readAddedEntities(withIds, { triples });
    expect(triplesOf(data)[2]).toBe('Lyon capital of France');
    expect([...added].map((entity) => data.entityIds[entity])).toEqual([106]);
    const byName = await readAddedEntities(base, { triples: file('n.csv', 'Lyon,capital of,1\n') });
    expect(byName.added.length).toBe(2);
  });

  it('takes entities without a triple from the attributes', async () => {
    const triples = file('few.csv', 'Lyon,capital of,France\n');
    const attributes = file('bare.csv', 'Brest,area\nLyon,area\n');
    const { data, added } = await readAddedEntities(base, { triples, attributes });
    expect(Array.from(added, (entity) => data.entityNames[entity])).toEqual(['Lyon', 'Brest']);
  });

  it('says when nothing is new, and names bad lines', async () => {
    const triples = file('known.csv', 'Paris,capital of,France\n');
    await expect(readAddedEntities(base, { triples })).rejects.toThrow(/0 are new/);
    const collected = collectDefects();
    const bad = file('bad.csv', 'Lyon,capital of,France\nLyon,,France\n');
    await readAddedEntities(base, { triples: bad, onDefect: collected.onDefect });
    expect(collected.defects[0]!.message).toMatch(/bad\.csv line 2: no relation/);
    await expect(readAddedEntities(base, { triples: join(folder, 'none.csv') })).rejects.toThrow(
      /none\.csv/,
    );
  });
});

describe('features of added entities', () => {
  it('have the columns of the data before, whatever becomes frequent', async () => {
    const lines = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name},flows through,Paris`);
    const triples = file('many.csv', `${lines.join('\n')}\n`);
    const attributes = file('many-attributes.csv', 'a,mayor\nb,mayor\nc,mayor\nd,mayor\n');
    const { data } = await readAddedEntities(base, { triples, attributes });
    const before = relationFeatures(base);
    const after = relationFeatures(data);
    expect(after.columnCount).toBe(before.columnCount);
    const rowOf = ({ rowPointers, columns }: typeof after, row: number) =>
      Array.from(columns.subarray(rowPointers[row], rowPointers[row + 1]));
    for (let i = 0; i < base.entityCount; i += 1) {
      expect(rowOf(after, i)).toEqual(rowOf(before, i));
    }
    expect(rowOf(after, base.entityCount)).toEqual([1]); // "flows through" stays the second
    expect(rowOf(attributeFeatures(data)!, base.entityCount)).toEqual([1]); // "mayor"
    const { columnsOf: _columnsOf, ...alone } = data;
    expect(rowOf(relationFeatures(alone), base.entityCount)).toEqual([0]);
    expect(rowOf(attributeFeatures(alone)!, base.entityCount)).toEqual([0]);
  });

  it('idf weighs by the data before', async () => {
    const triples = file('one.csv', 'Lyon,capital of,France\n');
    const { data, added } = await readAddedEntities(base, { triples });
    const weights = inverseFrequency(relationFeatures(base));
    const { rowPointers, values } = relationFeatures(data, { scaling: 'idf' });
    expect(values![rowPointers[added[0]!]!]).toBeCloseTo(weights[0]!, 6);
  });

  it('stay those of the first data when entities come twice', async () => {
    const one = await readAddedEntities(base, { triples: file('1.csv', 'x,capital of,Paris\n') });
    const two = await readAddedEntities(one.data, { triples: file('2.csv', 'y,capital of,x\n') });
    expect(two.data.columnsOf).toBe(base);
    expect([...two.added]).toEqual([base.entityCount + 1]);
  });
});
