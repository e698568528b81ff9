/** A small made-up benchmark and what reads it, for tests. */
import { factsOfTables } from '../build/benchmark.js';
import { makeQuestions } from '../build/make-questions.js';
import { type DocumentLibrary, namedLibrary } from '../library.js';
import type { LoongRecord } from '../record.js';
import { makeCorpus } from '../synthetic/corpus.js';

/** Questions over made-up documents of some thousand characters. */
export async function smallBenchmark(
  options: {
    readonly perGroup?: number;
    readonly characters?: number;
    readonly seed?: number;
  } = {},
): Promise<{ readonly records: readonly LoongRecord[]; readonly library: DocumentLibrary }> {
  const { perGroup = 6, characters = 1500, seed = 1 } = options;
  const documents = makeCorpus({ perGroup, characters, seed });
  const facts = factsOfTables(documents);
  const { records } = await makeQuestions({
    ...{ documents, facts, seed },
    lengths: [2200, 4400],
    perCell: 1,
  });
  return { records, library: namedLibrary('memory', documents) };
}

/** A record with the given fields. */
export const recordWith = (fields: Partial<LoongRecord>): LoongRecord => ({
  ...{ id: 'a', level: 2, set: 1, length: 1, type: 'financial', language: 'en', question: '' },
  ...{ instruction: '', prompt_template: '{docs}\n\n{instruction}\n\n{question}', doc: ['x'] },
  ...{ answer: '', shuffle_doc: true },
  ...fields,
});
