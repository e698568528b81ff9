import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { get_encoding } from 'tiktoken';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { type AssembleOptions, assemblePrompt, questionText } from './assemble.js';
import { missingDocuments, missingError, namedLibrary, openLibrary } from './library.js';

const documents = Array.from({ length: 6 }, (_, index) => ({
  name: `d${index + 1}`,
  title: `Title ${index + 1}`,
  text: `facts of ${index + 1}. ${'word '.repeat(100 * (index + 1))}verdict of ${index + 1}.`,
  facts: `facts of ${index + 1}. ${'word '.repeat(100 * (index + 1))}`,
  verdict: `verdict of ${index + 1}.`,
}));
const library = namedLibrary('memory', documents);
const options: AssembleOptions = {
  ...{ library, verdictFix: true, shuffle: 'record', seed: 1 },
  window: { maxLength: 100_000, reserveOutput: 0, slack: 0 },
};
const small = (maxLength: number) => ({ ...options, window: { ...options.window, maxLength } });
const doc = documents.map(({ name }) => name);

describe('assemblePrompt', () => {
  it('puts blocks, instruction and question into the template and counts them all', async () => {
    const record = recordWith({
      ...{ doc, instruction: 'Keep {{braces}} and {docs}.', question: 'Q {instruction}?' },
      shuffle_doc: false,
    });
    const { prompt, promptTokens, docsUsed } = await assemblePrompt(record, options);
    expect(docsUsed).toEqual(doc);
    expect(prompt.startsWith('《Title 1》\nfacts of 1.')).toBe(true);
    expect(prompt.endsWith('\n\n\n\nKeep {{braces}} and {docs}.\n\nQ {instruction}?')).toBe(true);
    expect(questionText(record)).toBe('Keep {{braces}} and {docs}.\n\nQ {instruction}?');
    const reference = get_encoding('cl100k_base');
    expect(promptTokens).toBe(reference.encode(prompt).length);
    reference.free();
  });

  it('skips what does not fit, takes what does, and keeps the numbers of judgments', async () => {
    const record = recordWith({ doc, type: 'legal', shuffle_doc: false, question: 'q' });
    const { docsUsed, docsDropped, positions, prompt, promptTokens } = await assemblePrompt(
      { ...record, doc: ['d1', 'd6', 'd2', 'd5', 'd3'] },
      small(690),
    );
    expect(docsUsed).toEqual(['d1', 'd2', 'd3']);
    expect(docsDropped).toEqual(['d6', 'd5']);
    expect(positions).toEqual([1, 3, 5]);
    expect([...prompt.matchAll(/《判决文书\d》/g)].map(String)).toEqual([
      ...['《判决文书1》', '《判决文书3》', '《判决文书5》'],
    ]);
    expect(promptTokens).toBeLessThanOrEqual(690);
  });

  it('leaves verdicts out where they are asked for, and nowhere else', async () => {
    const links = recordWith({
      doc,
      type: 'legal',
      level: 4,
      question: '我将给你若干份判决结果：',
    });
    expect((await assemblePrompt(links, options)).prompt).not.toContain('verdict of');
    const others = recordWith({ doc, type: 'legal', level: 4, question: '排序' });
    expect((await assemblePrompt(others, options)).prompt).toContain('verdict of 6.');
    // The released code looks into the instruction, where the phrase never stands.
    const official = { ...options, verdictFix: false };
    expect((await assemblePrompt(links, official)).prompt).toContain('verdict of 6.');
  });

  it('orders the documents of a record by seed and id alone', async () => {
    const record = recordWith({ doc, id: 'one' });
    const order = async (fields: object, more: Partial<AssembleOptions> = {}) =>
      (await assemblePrompt({ ...record, ...fields }, { ...options, ...more })).docsUsed.join();
    const first = await order({});
    expect(first).not.toBe(doc.join());
    expect(await order({})).toBe(first);
    const others = await Promise.all(['two', 'three', 'four'].map((id) => order({ id })));
    expect(others.some((other) => other !== first)).toBe(true);
    expect(await order({}, { seed: 2 })).not.toBe(first);
    expect(await order({}, { shuffle: 'never' })).toBe(doc.join());
    expect(await order({ shuffle_doc: false })).toBe(doc.join());
    const stable = { stableDocOrder: true };
    expect(await order({ id: 'two' }, stable)).toBe(await order({ id: 'one' }, stable));
  });

  it('takes nothing where no document fits', async () => {
    const { docsUsed, docsDropped } = await assemblePrompt(recordWith({ doc }), small(60));
    expect(docsUsed).toEqual([]);
    expect(docsDropped).toHaveLength(6);
  });
});

describe('the folder of the authors', () => {
  const dir = temporaryFolder();
  for (const folder of ['financial', 'paper', 'legal']) mkdirSync(join(dir, folder));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write('financial/x-2024-ACME.txt', 'of Acme');
  write('financial/x-2024-ACME Holding.txt', 'of the holding');
  write('financial/x-2023-form10-k.txt', 'of 2023');
  write('paper/2401.1.md', '# A Title \nText');
  write('legal/legal.json', JSON.stringify({ case: { content: 'facts', result: 'verdict' } }));

  it('is searched as the benchmark does; a name that begins another has its own file', async () => {
    const { find } = await opened();
    expect(find(recordWith({ level: 1 }), 'ACME')).toMatchObject({
      title: 'ACME',
      text: 'of Acme',
    });
    expect(find(recordWith({ level: 1 }), 'ACME Holding')?.text).toBe('of the holding');
    expect(find(recordWith({ level: 4 }), '2023-form10-k')?.text).toBe('of 2023');
    expect(find(recordWith({ level: 1 }), '2023-form10-k')).toBeUndefined();
    expect(find(recordWith({ type: 'paper' }), '2401.1.md')?.title).toBe('A Title');
    expect(find(recordWith({ type: 'legal' }), 'case')).toMatchObject({ verdict: 'verdict' });
  });

  const opened = async () => {
    const own = await openLibrary(dir);
    return { find: own.find.bind(own), library: own };
  };

  it('says which documents are missing and where they belong', async () => {
    const own = (await opened()).library;
    const records = [
      recordWith({ level: 1, doc: ['ACME', 'Zenith'] }),
      recordWith({ level: 2, doc: ['Zenith'] }),
      recordWith({ type: 'paper', doc: ['2401.2.md'] }),
      recordWith({ type: 'legal', doc: ['case', 'other'] }),
    ];
    const missing = missingDocuments(records, own);
    expect(missing.map(({ place, records: count }) => [place, count])).toEqual([
      ['financial/*2024-Zenith*.txt', 2],
      ['paper/2401.2.md', 1],
      ['legal/legal.json, key "other"', 1],
    ]);
    expect(missingError(dir, missing).message).toContain('3 documents are missing:');
    await expect(openLibrary(temporaryFolder())).rejects.toThrow(/none of the folders/);
    await expect(openLibrary(join(dir, 'nowhere'))).rejects.toThrow(/is not there/);
  });
});
