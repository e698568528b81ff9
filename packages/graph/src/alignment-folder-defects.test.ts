import { collectDefects, DataError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { smallFiles, smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';

interface Case {
  readonly name: string;
  readonly file: string;
  /** New content; null removes the file. */
  readonly content: string | Uint8Array | null;
  readonly line: number | undefined;
  readonly message: RegExp;
  readonly column?: number;
}

const cases: Case[] = [
  {
    name: 'a missing entity file',
    file: 'ent_ids_2',
    content: null,
    line: undefined,
    message: /missing file ent_ids_2/,
  },
  {
    name: 'a missing triples file',
    file: 'triples_1',
    content: null,
    line: undefined,
    message: /missing file triples_1 or triples_1_partial/,
  },
  {
    name: 'missing links',
    file: 'ill_ent_ids',
    content: null,
    line: undefined,
    message: /missing file ill_ent_ids or ref_ent_ids/,
  },
  {
    name: 'a ragged entity line',
    file: 'ent_ids_1',
    content: `${smallFiles['ent_ids_1']}8\n`,
    line: 4,
    message: /expected id<TAB>name, found 1 field/,
  },
  {
    name: 'an entity without name',
    file: 'ent_ids_1',
    content: `${smallFiles['ent_ids_1']}8\t\n`,
    line: 4,
    message: /found an empty name/,
  },
  {
    name: 'a non-integer entity id',
    file: 'ent_ids_1',
    content: `x1\ten/Lyon\n${smallFiles['ent_ids_1']}`,
    line: 1,
    message: /the id "x1" is not a non-negative integer/,
  },
  {
    name: 'a duplicate entity id',
    file: 'ent_ids_1',
    content: `${smallFiles['ent_ids_1']}7\ten/Lyon\n`,
    line: 4,
    message: /entity id 7 was given before \(KG1, line 3\)/,
  },
  {
    name: 'an id of both graphs',
    file: 'ent_ids_2',
    content: `${smallFiles['ent_ids_2']}0\tfr/Lyon\n`,
    line: 4,
    message: /entity id 0 was given before \(KG1, line 1\)/,
  },
  {
    name: 'a ragged triple',
    file: 'triples_1',
    content: `${smallFiles['triples_1']}2\t0\n`,
    line: 4,
    message: /expected head<TAB>relation<TAB>tail, found 2 field/,
  },
  {
    name: 'a triple with a fourth field',
    file: 'triples_1',
    content: `2\t0\t0\t1\n${smallFiles['triples_1']}`,
    line: 1,
    message: /found 4 field/,
  },
  {
    name: 'a non-integer tail',
    file: 'triples_1',
    content: `2\t0\t0.5\n${smallFiles['triples_1']}`,
    line: 1,
    message: /the tail "0.5" is not/,
    column: 5,
  },
  {
    name: 'a negative head',
    file: 'triples_1',
    content: `-2\t0\t0\n${smallFiles['triples_1']}`,
    line: 1,
    message: /the head "-2" is not/,
    column: 1,
  },
  {
    name: 'a non-integer relation',
    file: 'triples_1',
    content: `2\tcapital\t0\n${smallFiles['triples_1']}`,
    line: 1,
    message: /the relation "capital" is not/,
    column: 3,
  },
  {
    name: 'an unknown entity in a triple',
    file: 'triples_1',
    content: `2\t0\t99\n${smallFiles['triples_1']}`,
    line: 1,
    message: /the tail 99 is no entity/,
    column: 5,
  },
  {
    name: 'a triple across the graphs',
    file: 'triples_1',
    content: `2\t0\t3\n${smallFiles['triples_1']}`,
    line: 1,
    message: /the tail 3 belongs to KG2/,
  },
  {
    name: 'an empty triples file',
    file: 'triples_2',
    content: '',
    line: 1,
    message: /KG2 has no triples, the file is empty/,
  },
  {
    name: 'an empty line between triples',
    file: 'triples_1',
    content: '2\t0\t0\n\n7\t1\t0\n',
    line: 2,
    message: /the line is empty/,
  },
  {
    name: 'a ragged link',
    file: 'ill_ent_ids',
    content: '0\t3\n2\n',
    line: 2,
    message: /expected KG1 entity<TAB>KG2 entity, found 1/,
  },
  {
    name: 'a duplicate link',
    file: 'ill_ent_ids',
    content: '0\t3\n2\t4\n0\t3\n',
    line: 3,
    message: /duplicate link 0 - 3, already in line 1/,
  },
  {
    name: 'a link to a missing entity',
    file: 'ill_ent_ids',
    content: '0\t3\n2\t44\n',
    line: 2,
    message: /KG2 end "44" is no entity/,
    column: 3,
  },
  {
    name: 'a link within one graph',
    file: 'ill_ent_ids',
    content: '0\t3\n0\t2\n',
    line: 2,
    message: /both ends of the link, 0 and 2, belong to KG1/,
  },
  {
    name: 'a swapped link',
    file: 'ill_ent_ids',
    content: '0\t3\n4\t2\n',
    line: 2,
    message: /runs from KG2 \(4\) to KG1 \(2\)/,
  },
  {
    name: 'no link at all',
    file: 'ill_ent_ids',
    content: '\n',
    line: undefined,
    message: /no usable link/,
  },
  {
    name: 'attributes of other entities',
    file: 'training_attrs_1',
    content: 'a\tx\nb\tx\nen/Paris\ty\n',
    line: 1,
    message: /2 of 3 lines name an entity that is not in ent_ids/,
  },
  {
    name: 'binary garbage',
    file: 'triples_1',
    content: new Uint8Array([50, 9, 0, 200, 10, 255, 254]),
    line: 1,
    message: /not a text file/,
  },
  {
    name: 'a broken gzip',
    file: 'training_attrs_1',
    content: new Uint8Array([31, 139, 8, 0, 1, 2, 3, 4]),
    line: undefined,
    message: /training_attrs_1/,
  },
  {
    name: 'a relation name line without name',
    file: 'rel_ids_1',
    content: '0\n',
    line: 1,
    message: /expected id<TAB>name/,
  },
  {
    name: 'a relation id in words',
    file: 'rel_ids_1',
    content: 'zero\tcapital\n',
    line: 1,
    message: /relation id "zero"/,
  },
];

describe('readAlignmentFolder tells', () => {
  it.each(cases)('$name', async ({ file, content, line, message, column }) => {
    const dir = smallFolder({ [file]: content });
    await expect(readAlignmentFolder(dir)).rejects.toThrow(DataError);
    const collection = collectDefects(100);
    await readAlignmentFolder(dir, { onDefect: collection.onDefect });
    const found = collection.defects.find((defect) => message.test(defect.message));
    expect(found, collection.defects.map((defect) => defect.message).join('\n')).toBeDefined();
    expect(found?.file).toContain(file);
    expect(found?.line).toBe(line);
    expect(found?.help).toBeTruthy();
    if (column !== undefined) expect(found?.column).toBe(column);
  });

  it('a folder that is not there', async () => {
    await expect(readAlignmentFolder('/nowhere/at/all')).rejects.toThrow(/is not a folder/);
  });

  it('a missing entity file once, not again for every triple and link', async () => {
    const { onDefect, defects } = collectDefects();
    await readAlignmentFolder(smallFolder({ ent_ids_1: null, triples_2: null }), { onDefect });
    expect(defects.map((defect) => defect.message.slice(0, 22))).toEqual([
      'missing file ent_ids_1',
      'missing file triples_2',
    ]);
  });

  it('an entity file without entities', async () => {
    const dir = smallFolder({ ent_ids_2: '' });
    await expect(readAlignmentFolder(dir)).rejects.toThrow(/KG2 has no entities/);
  });

  it('every defect of a folder at once, and the good records are still read', async () => {
    const dir = smallFolder({
      triples_1: 'x\t0\t0\n2\t0\t0\n2\t0\t99\n',
      triples_2: null,
      ill_ent_ids: '0\t3\n0\t3\n2\t4\n',
      training_attrs_1: 'en/Paris\tarea\n\nen/Seine\tlength\n',
    });
    const { onDefect, defects } = collectDefects();
    const data = await readAlignmentFolder(dir, { onDefect });
    expect(defects.map((defect) => defect.line)).toEqual([1, 3, undefined, 2, 2]);
    expect(data.triples.heads).toHaveLength(1);
    expect([...data.links]).toEqual([0, 3, 1, 4]);
    expect(data.attributes?.names).toEqual(['area', 'length', 'mayor']);
  });
});
