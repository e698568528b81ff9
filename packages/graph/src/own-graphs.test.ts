import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collectDefects } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { writeNpy } from '@lab/tensor/io';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AlignmentData } from './knowledge-graph.js';
import { type OwnGraphFiles, readOwnGraphs } from './own-graphs.js';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function plainFiles(): { source: string; target: string } {
  return {
    source: file('a.csv', 'Paris,capital of,France\nSeine,flows through,Paris\n'),
    target: file('b.tsv', 'Paris\tcapitale de\tFrance\nLoire\tcoule en\tFrance\n'),
  };
}

function triplesOf(data: AlignmentData): string[] {
  const { heads, relations, tails } = data.triples;
  const name = (index: number): string => data.entityNames[index] as string;
  return Array.from(
    heads,
    (head, e) =>
      `${name(head)} ${data.relationNames[relations[e] as number]} ${name(tails[e] as number)}`,
  );
}

function attributesOf(data: AlignmentData, name: string, side: 1 | 2): string[] {
  const entity = data.entityNames.findIndex((one, i) => one === name && data.sides[i] === side);
  const { attributes } = data;
  if (attributes === null) return [];
  const start = attributes.rowPointers[entity] as number;
  const end = attributes.rowPointers[entity + 1] as number;
  return Array.from(attributes.columns.slice(start, end), (i) => attributes.names[i] as string);
}

async function defectsOf(files: OwnGraphFiles): Promise<string[]> {
  const { onDefect, defects } = collectDefects();
  await readOwnGraphs({ ...files, onDefect });
  return defects.map((defect) => defect.message.replace(`${folder}/`, ''));
}

describe('an unclosed quote', () => {
  const cases = {
    'with none after it': ['Seine,"flows,Paris', 'Loire,in,France', 'Lyon,in,France'],
    'with text after the next one': ['Seine,"flows,Paris', '"Loire",in,France', 'Lyon,in,France'],
    'closed by accident': ['Seine,flows,"Paris', 'Loire,in,France"', 'Lyon,in,France'],
  };
  it.each(Object.entries(cases))('%s is the one defect, in its line', async (_, rows) => {
    const source = file('a.csv', `Paris,in,France\n${rows.join('\n')}\n`);
    const names = ['Paris', 'France', 'Seine', 'Loire', 'Lyon'];
    const target = file('b.csv', names.map((name) => `${name},in,Europe\n`).join(''));
    const links = file('l.csv', names.map((name) => `${name},${name}\n`).join(''));
    const sourceAttributes = file('aa.csv', 'Loire,area,1\nSeine,area,1\n');
    const found = await defectsOf({ source, target, links, sourceAttributes });
    expect(found).toEqual([expect.stringMatching(/^a\.csv line 2: a quote that is n/)]);
  });

  it('in links or attributes is one defect, too', async () => {
    const links = file('l.csv', '"Paris,Paris\nFrance,France\n');
    const found = await defectsOf({ ...plainFiles(), links });
    expect(found).toEqual(['l.csv line 1: a quote that is never closed.']);
    const sourceAttributes = file('aa.csv', 'Paris,area,"1\n2"\nParis,"b\nSeine,c"\n');
    expect(await defectsOf({ ...plainFiles(), sourceAttributes })).toEqual([
      expect.stringMatching(/^aa\.csv line 3: /),
    ]);
  });
});

describe('readOwnGraphs', () => {
  it('reads triples without heading; equal names on both sides stay apart', async () => {
    const data = await readOwnGraphs(plainFiles());
    expect(data.entityNames).toEqual(['Paris', 'France', 'Seine', 'Paris', 'France', 'Loire']);
    expect([...data.sides]).toEqual([1, 1, 1, 2, 2, 2]);
    expect(triplesOf(data)[1]).toBe('Seine flows through Paris');
    expect(data.triples.leftCount).toBe(2);
    expect(data).toMatchObject({ name: 'a-b', keyedBy: 'name', attributes: null, images: null });
    expect(data.links).toHaveLength(0);
    expect(data.files).toHaveLength(2);
  });

  it('finds columns by a heading, in any order, others passed over', async () => {
    const source = file('c.csv', 'Object;weight;Subject;Predicate\nFrance;3;Paris;"capital; of"\n');
    const data = await readOwnGraphs({ ...plainFiles(), source });
    expect(triplesOf(data)[0]).toBe('Paris capital; of France');
  });

  it('reads gzip, CRLF and a byte-order mark', async () => {
    const source = file('a.csv.gz', gzipSync('\ufeffhead,relation,tail\r\nParis,in,France'));
    const data = await readOwnGraphs({ ...plainFiles(), source });
    expect(triplesOf(data)[0]).toBe('Paris in France');
  });

  it('drops repeated triples with a remark, or keeps them', async () => {
    const files = { ...plainFiles(), source: file('c.csv', 'a,r,b\na,r,b\na,s,b\n') };
    const data = await readOwnGraphs(files);
    expect(data.triples.leftCount).toBe(2);
    expect(data.remarks).toContain('1 repeated triple was dropped.');
    const kept = await readOwnGraphs({ ...files, duplicateTriples: 'keep' });
    expect(kept.triples.leftCount).toBe(3);
  });

  it('reads links by name, with heading and extra columns', async () => {
    const links = file('links.csv', 'left,right,score\nParis,Paris,0.9\nFrance,France,0.8\n');
    const data = await readOwnGraphs({ ...plainFiles(), links });
    expect([...data.links]).toEqual([0, 3, 1, 4]);
  });

  it('reads attributes one a row, with or without heading and value', async () => {
    const sourceAttributes = file('aa.csv', 'Paris,area,105\nParis,mayor,x\nFrance,area,3\n');
    const targetAttributes = file('ba.csv', 'attribute,entity\narea,Loire\n');
    const data = await readOwnGraphs({ ...plainFiles(), sourceAttributes, targetAttributes });
    expect(data.attributes?.names).toEqual(['area', 'mayor']);
    expect(attributesOf(data, 'Paris', 1)).toEqual(['area', 'mayor']);
    expect(attributesOf(data, 'Loire', 2)).toEqual(['area']);
  });

  it('reads attributes one a column: those whose cell is filled', async () => {
    const sourceAttributes = file('aa.csv', 'id,area,mayor\nParis,105,\nFrance,,\n');
    const data = await readOwnGraphs({ ...plainFiles(), sourceAttributes });
    expect(attributesOf(data, 'Paris', 1)).toEqual(['area']);
    expect(attributesOf(data, 'France', 1)).toEqual([]);
  });

  it('reads a folder per graph, with entities that no triple has', async () => {
    const dir = join(folder, 'one');
    mkdirSync(dir);
    writeFileSync(join(dir, 'triples.csv'), 'Paris,in,France\n');
    writeFileSync(join(dir, 'entities.csv'), 'name\nLyon\nParis\n');
    writeFileSync(join(dir, 'attributes.csv'), 'Lyon,area\n');
    writeFileSync(join(dir, 'images.csv'), 'id,x,y\nLyon,1,2\n');
    const data = await readOwnGraphs({ source: dir, target: plainFiles().target });
    expect(data.entityNames.slice(0, 3)).toEqual(['Lyon', 'Paris', 'France']);
    expect(attributesOf(data, 'Lyon', 1)).toEqual(['area']);
    expect(data.images).toEqual({
      dimension: 2,
      entities: Int32Array.of(0),
      vectors: Float32Array.of(1, 2),
    });
    expect(data.remarks).toContain('Only KG1 has images.');
  });

  it('reads image tables: CSV, and npy with names', async () => {
    const sourceImages = file('ia.csv', 'France,1,0\nParis,0,1\n');
    const targetImages = join(folder, 'ib.npy');
    await writeNpy(targetImages, { shape: [1, 2], data: Float32Array.of(3, 4) });
    file('ib_ids.txt', 'Loire\n');
    const data = await readOwnGraphs({ ...plainFiles(), sourceImages, targetImages });
    expect([...(data.images?.entities ?? [])]).toEqual([0, 1, 5]);
    expect([...(data.images?.vectors ?? [])]).toEqual([0, 1, 1, 0, 3, 4]);
    expect(data.files.map((one) => one.path)).toContain(join(folder, 'ib_ids.txt'));
  });
});

describe('N-Triples', () => {
  const statements = [
    '# a comment',
    '<http://x/Paris> <http://p/in> <http://x/France> .',
    '<http://x/Paris> <http://p/label> "Parigi \\u00e9"@it .',
    '<http://x/Paris> <http://p/area> "105.4"^^<http://www.w3.org/2001/XMLSchema#double> .',
    '_:b1 <http://p/label> "no name" .',
    '_:b1 <http://p/in> _:b2 .',
  ].join('\n');

  it('become triples, literals become attributes, blank nodes keep their label', async () => {
    const source = file('a.nt.gz', gzipSync(statements));
    const data = await readOwnGraphs({ ...plainFiles(), source });
    expect(data.entityNames.slice(0, 4)).toEqual([
      'http://x/Paris',
      'http://x/France',
      '_:b1',
      '_:b2',
    ]);
    expect(triplesOf(data).slice(0, 2)).toEqual([
      'http://x/Paris http://p/in http://x/France',
      '_:b1 http://p/in _:b2',
    ]);
    expect(attributesOf(data, 'http://x/Paris', 1)).toEqual(['http://p/label', 'http://p/area']);
    expect(data.remarks.join()).toContain('3 literals of a.nt.gz');
    expect(data.remarks.join()).toContain('1 language, 1 datatype');
  });

  it('may give links', async () => {
    const source = file('a.nt', '<a:x> <a:r> <a:y> .\n');
    const target = file('b.nt', '<b:x> <b:r> <b:y> .\n');
    const links = file('l.nt', '<a:x> <http://www.w3.org/2002/07/owl#sameAs> <b:x> .\n');
    expect([...(await readOwnGraphs({ source, target, links })).links]).toEqual([0, 2]);
  });

  it('that do not parse are defects with their line, the others are read', async () => {
    const lines = statements.split('\n');
    lines.splice(2, 0, '<http://x/Paris> <http://p/in> .', 'nonsense');
    const source = file('a.nt', lines.join('\n'));
    const messages = await defectsOf({ ...plainFiles(), source });
    expect(messages).toEqual([
      expect.stringMatching(/^a.nt line 3: not an N-Triples statement/),
      expect.stringMatching(/^a.nt line 4: not an N-Triples statement/),
    ]);
  });
});

describe('readOwnGraphs tells', () => {
  it.each<[string, () => Partial<OwnGraphFiles>, RegExp]>([
    ['a missing graph', () => ({ source: join(folder, 'no.csv') }), /missing file no.csv/],
    [
      'a missing attribute file',
      () => ({ targetAttributes: join(folder, 'no') }),
      /missing file no/,
    ],
    ['missing links', () => ({ links: join(folder, 'no') }), /missing link file no/],
    ['a folder without triples', () => ({ source: folder }), /missing file triples.csv/],
    [
      'a graph without triples',
      () => ({ source: file('e.csv', 'head,relation,tail\n') }),
      /KG1 has no triples/,
    ],
    [
      'a row without relation',
      () => ({ source: file('e.csv', 'a,r,b\nc,,d\n') }),
      /e.csv line 2: no relation in column 2 of 3/,
    ],
    ['a ragged row', () => ({ source: file('e.csv', 'a,r,b\nc,d\n') }), /e.csv line 2: 2 fields/],
    ['two columns only', () => ({ source: file('e.csv', 'a,b\n') }), /e.csv line 1: no tail/],
    ['an unclosed quote', () => ({ source: file('e.csv', 'a,"r,b\n') }), /e.csv/],
    [
      'binary garbage',
      () => ({ source: file('e.csv', new Uint8Array([1, 0, 255])) }),
      /not a text file|bytes/,
    ],
    [
      'a link to a missing entity',
      () => ({ links: file('l.csv', 'Paris,Lyon\n') }),
      /l.csv line 1: .*"Lyon" is no entity of KG2/,
    ],
    [
      'a duplicate link',
      () => ({ links: file('l.csv', 'Paris,Paris\nParis,Paris\n') }),
      /l.csv line 2: duplicate link/,
    ],
    [
      'attributes of other entities',
      () => ({ sourceAttributes: file('x.csv', 'Rome,area\n') }),
      /1 of 1 rows name an entity/,
    ],
    [
      'an attribute row without name',
      () => ({ sourceAttributes: file('x.csv', 'Paris,\n') }),
      /x.csv line 1: no attribute name/,
    ],
    [
      'an image with words',
      () => ({ sourceImages: file('i.csv', 'Paris,1,2\nFrance,1,two\n') }),
      /i.csv line 2: image vector with "two" in column 3/,
    ],
    [
      'an image with NaN',
      () => ({ sourceImages: file('i.csv', 'Paris,1,2\nFrance,NaN,1\n') }),
      /i.csv line 2: image vector with "NaN"/,
    ],
    [
      'images of other entities',
      () => ({ sourceImages: file('i.csv', 'Rome,1,2\n') }),
      /1 of 1 vectors belong to no known entity/,
    ],
    [
      'images of two lengths',
      () => ({
        sourceImages: file('i.csv', 'Paris,1\n'),
        targetImages: file('j.csv', 'Paris,1,2\n'),
      }),
      /1 numbers in KG1, 2 in KG2/,
    ],
  ])('%s', async (_, files, message) => {
    const messages = await defectsOf({ ...plainFiles(), ...files() });
    expect(messages.join('\n')).toMatch(message);
    await expect(readOwnGraphs({ ...plainFiles(), ...files() })).rejects.toThrow();
  });

  it('an npy without names, or with too few', async () => {
    const sourceImages = join(folder, 'i.npy');
    await writeNpy(sourceImages, { shape: [2, 1], data: Float32Array.of(1, 2) });
    expect(await defectsOf({ ...plainFiles(), sourceImages })).toEqual([
      expect.stringMatching(/i.npy has no list of entity names/),
    ]);
    file('i_ids.txt', 'Paris\n');
    expect(await defectsOf({ ...plainFiles(), sourceImages })).toEqual([
      expect.stringMatching(/i.npy has 2 rows, its list has 1/),
    ]);
  });
});
