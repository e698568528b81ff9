import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { smallFiles, smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';
import { summarizeAlignment } from './knowledge-graph.js';

const sample = join(import.meta.dirname, '../../alignment/data/en-fr-3k');

describe('readAlignmentFolder', () => {
  it('gives dense indices to ids with gaps, KG1 first', async () => {
    const data = await readAlignmentFolder(smallFolder());
    expect([...data.entityIds]).toEqual([0, 2, 7, 3, 4, 9]);
    expect([...data.sides]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...data.left]).toEqual([0, 1, 2]);
    expect([...data.right]).toEqual([3, 4, 5]);
    expect([...data.triples.heads]).toEqual([1, 2, 2, 4]);
    expect([...data.triples.tails]).toEqual([0, 0, 0, 3]);
    expect([...data.triples.relations]).toEqual([0, 1, 1, 2]);
    expect(data.triples.leftCount).toBe(3);
    expect([...data.relationIds]).toEqual([0, 1, 5]);
    expect(data.relationNames).toEqual(['capital', 'flows', 'capitale']);
    expect([...data.links]).toEqual([0, 3, 1, 4]);
    expect(data.entityNames[5]).toBe('fr/Loire');
    expect(data.files).toHaveLength(9);
    expect(data.files[0]?.sha256).toHaveLength(64);
  });

  it('joins attribute rows by entity name, names shared by both graphs', async () => {
    const { attributes } = await readAlignmentFolder(smallFolder());
    expect(attributes?.names).toEqual(['area', 'mayor', 'length']);
    expect([...(attributes?.rowPointers ?? [])]).toEqual([0, 2, 2, 3, 5, 5, 5]);
    expect([...(attributes?.columns ?? [])]).toEqual([0, 1, 2, 0, 1]);
  });

  const forms: [string, (text: string) => string | Uint8Array][] = [
    ['gzip', (text) => gzipSync(text)],
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['a byte-order mark', (text) => `\ufeff${text}`],
    ['no final newline', (text) => text.trimEnd()],
    ['blank lines at the end', (text) => `${text}\n\n`],
    ['all of them', (text) => gzipSync(`\ufeff${text.trimEnd().replaceAll('\n', '\r\n')}`)],
  ];
  it.each(forms)('reads the same from files with %s', async (_, change) => {
    const plain = await readAlignmentFolder(smallFolder());
    const edits = Object.entries(smallFiles).map(([name, text]) => [name, change(text)]);
    const changed = await readAlignmentFolder(smallFolder(Object.fromEntries(edits)));
    expect({ ...changed, files: [], name: '' }).toEqual({ ...plain, files: [], name: '' });
  });

  it('finds files that end in .gz', async () => {
    const edits = Object.entries(smallFiles).flatMap(
      ([name, text]): [string, Uint8Array | null][] => [
        [name, null],
        [`${name}.gz`, gzipSync(text)],
      ],
    );
    const data = await readAlignmentFolder(smallFolder(Object.fromEntries(edits)));
    expect(data.entityCount).toBe(6);
    expect(data.files.every((file) => file.path.endsWith('.gz'))).toBe(true);
  });

  it('numbers relations by first triple and names them by id without rel_ids', async () => {
    const data = await readAlignmentFolder(smallFolder({ rel_ids_1: null, rel_ids_2: null }));
    expect(data.relationNames).toEqual(['0', '1', '5']);
  });

  it('keeps repeated triples, or drops them with a remark', async () => {
    const dir = smallFolder();
    expect((await readAlignmentFolder(dir)).triples.heads).toHaveLength(4);
    const dropped = await readAlignmentFolder(dir, { duplicateTriples: 'drop' });
    expect(dropped.triples.heads).toHaveLength(3);
    expect(dropped.triples.leftCount).toBe(2);
    expect(dropped.remarks.join()).toContain('1 repeated triple was dropped');
  });

  it('remarks a partial triples file', async () => {
    const edits = { triples_1: null, triples_1_partial: smallFiles['triples_1'] as string };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect(data.triples.leftCount).toBe(3);
    expect(data.remarks.join()).toContain('KG1 is incomplete');
  });
});

describe('links', () => {
  it('are the reference links when these hold all seeds', async () => {
    const edits = { ill_ent_ids: null, sup_ent_ids: '2\t4\n', ref_ent_ids: '0\t3\n2\t4\n' };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect([...data.links]).toEqual([0, 3, 1, 4]);
    expect([...(data.providedSplit?.seeds ?? [])]).toEqual([1, 4]);
    expect([...(data.providedSplit?.test ?? [])]).toEqual([0, 3]);
  });

  it('are the union of seeds and reference links otherwise', async () => {
    const edits = { ill_ent_ids: null, sup_ent_ids: '2\t4\n', ref_ent_ids: '0\t3\n' };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect([...data.links]).toEqual([1, 4, 0, 3]);
    expect([...(data.providedSplit?.test ?? [])]).toEqual([0, 3]);
  });

  it('may stand in ref_ent_ids alone', async () => {
    const edits = { ill_ent_ids: null, ref_ent_ids: '0\t3\n' };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect([...data.links]).toEqual([0, 3]);
    expect(data.providedSplit).toBeNull();
  });

  it('may join one entity twice, with a remark, unless they are strict', async () => {
    const dir = smallFolder({ ill_ent_ids: '0\t3\n2\t3\n' });
    const data = await readAlignmentFolder(dir);
    expect(data.links).toHaveLength(4);
    expect(data.remarks.join()).toContain('1 links join an entity that has another link');
    await expect(readAlignmentFolder(dir, { links: 'strict' })).rejects.toThrow(
      /line 2: "3" already has a link, in line 1/,
    );
  });
});

describe('modalities', () => {
  it('may be on one side only, which is remarked', async () => {
    const data = await readAlignmentFolder(smallFolder({ training_attrs_2: null }));
    expect(data.attributes?.names).toEqual(['area', 'mayor', 'length']);
    expect(data.remarks).toContain('Only KG1 has attributes.');
  });

  it('may be absent, which is remarked', async () => {
    const dir = smallFolder({ training_attrs_1: null, training_attrs_2: null });
    const data = await readAlignmentFolder(dir);
    expect(data.attributes).toBeNull();
    expect(data.images).toBeNull();
    expect(data.remarks).toContain('There are no attributes.');
  });

  it('ignores and counts attribute lines of unknown entities', async () => {
    const text = `${smallFiles['training_attrs_1']}en/Rhine\tlength\n`;
    const data = await readAlignmentFolder(smallFolder({ training_attrs_1: text }));
    expect(data.remarks.join()).toContain('1 line of training_attrs_1 names no known entity');
  });
});

describe('the EN-FR 3K pair', () => {
  it('has the counts of its notice', async () => {
    const data = await readAlignmentFolder(sample);
    expect(summarizeAlignment(data)).toEqual({
      leftEntities: 3000,
      rightEntities: 3000,
      leftTriples: 11_325,
      rightTriples: 11_105,
      relations: 139 + 114,
      links: 3000,
      attributeNames: 163 + 231 - 68,
      entitiesWithAttributes: 6000,
      entitiesWithImage: 0,
      isolatedEntities: 59,
    });
    expect(data.remarks).toEqual(['There are no images.']);
  });
});
