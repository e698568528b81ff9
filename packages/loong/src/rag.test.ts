import { resolveConfig } from '@lab/core';
import { createScriptedClient } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { loongConfig } from './config.js';
import { assembleOptionsOf, promptOf } from './answer-record.js';
import { namedLibrary } from './library.js';
import { chunksOf, createRetriever, queryOf, retrievalRecall, retrieveChunks } from './rag.js';
import { countTokens } from './tokens.js';

const sentence = (word: string, at: number) => `The ${word} of line ${at} is told here. `;
const documents = ['profit', 'staff', 'debt'].map((word, index) => ({
  ...{ name: `d${index}`, title: `Report ${index}` },
  text: Array.from({ length: 20 }, (_, at) => sentence(at === 7 ? word : 'weather', at)).join(''),
}));
const library = namedLibrary('memory', documents);
const record = recordWith({
  ...{ doc: ['d0', 'd1', 'd2'], question: 'What is the profit?', instruction: 'Read debt.' },
});
const settings = (...set: string[]) =>
  resolveConfig(loongConfig, {
    set: ['rag.retriever=bm25', 'rag.chunkTokens=40', 'rag.topK=4', ...set],
  }).config;
const partsOf = (...set: string[]) => {
  const config = settings(...set);
  const retriever = createRetriever('bm25');
  return { ...assembleOptionsOf({ config, library }), retriever, rag: config.rag };
};

describe('retrieval', () => {
  it('keeps heading and place in every chunk', async () => {
    const { rag, ...options } = partsOf();
    const chunks = await chunksOf({ ...record, type: 'legal' }, options, rag);
    expect(chunks.length).toBeGreaterThan(9);
    expect(chunks[0]!.text).toMatch(/^《判决文书1》 \(part 1\/\d+\)\nThe weather of line 0/);
    expect(chunks.every(({ text, doc }) => text.startsWith(`《判决文书${doc}》`))).toBe(true);
    for (const { text } of chunks) expect(await countTokens(text)).toBeLessThanOrEqual(40 + 20);
  });

  it('finds what the question asks for, and each document where a quota says so', async () => {
    const found = await retrieveChunks(record, partsOf());
    expect(found).toHaveLength(4);
    expect(found[0]).toMatchObject({ doc: 1 });
    expect(found[0]!.text).toContain('The profit of line 7');
    const each = await retrieveChunks(record, partsOf('rag.perDocument=1'));
    expect(new Set(each.slice(0, 3).map(({ doc }) => doc)).size).toBe(3);
  });

  it('asks with the instruction where the question is empty', () => {
    const { rag } = partsOf();
    expect(queryOf({ ...record, question: '' }, rag)).toBe('Read debt.');
    expect(queryOf(record, rag)).toBe('What is the profit?');
    expect(queryOf(record, { ...rag, query: 'question+instruction' })).toContain('Read debt.');
  });

  it('puts chunks into the prompt in place of documents, within the window', async () => {
    const config = settings('window.maxLength=256', 'window.reserveOutput=0', 'rag.topK=50');
    const made = await promptOf(record, { config, library, retriever: createRetriever('bm25') });
    expect(made.promptTokens).toBeLessThanOrEqual(256);
    expect(made.chunks!.length).toBeGreaterThan(2);
    expect(made.prompt.endsWith('Read debt.\n\nWhat is the profit?')).toBe(true);
    expect([...made.docsUsed, ...made.docsDropped].sort()).toEqual(['d0', 'd1', 'd2']);
    const inOrder = settings('rag.order=document');
    const ordered = await promptOf(record, {
      config: inOrder,
      library,
      retriever: createRetriever('bm25'),
    });
    const places = ordered.chunks!.map(({ doc, chunk }) => 100 * doc + chunk);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('has recall 1 where all documents are touched, and the share besides', async () => {
    const all = { ...record, question: 'profit staff debt' };
    const recall = await retrievalRecall([all, record], partsOf(), [1, 3, 60]);
    expect(recall.map(({ k, allDocuments }) => [k, allDocuments])).toEqual([
      ...[
        [1, 0],
        [3, 0.5],
        [60, 1],
      ],
    ]);
    expect(recall[0]!.meanShare).toBeCloseTo(1 / 3, 12);
  });

  it('searches by vectors, or by both', async () => {
    const client = createScriptedClient({ answer: () => '', model: 'vectors' });
    for (const kind of ['embeddings', 'fusion'] as const) {
      const retriever = createRetriever(kind, { client });
      expect(retriever.name).toBe(`${kind} vectors`);
      const [best] = await retriever.rank('profit told', ['rain', 'the profit told', 'snow'], 1);
      expect(best!.index).toBe(1);
    }
  });
});
