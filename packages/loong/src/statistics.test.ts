import { expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { lengthStatistics } from './statistics.js';

it('tells questions, languages, documents and lengths of each group that there is', () => {
  const records = [
    recordWith({ id: 'a', level: 1, length: 10, doc: ['x', 'y'] }),
    recordWith({ id: 'b', level: 1, set: 3, length: 30, language: 'zh', type: 'legal' }),
    recordWith({ id: 'c', level: 4, length: 20 }),
  ];
  const found = lengthStatistics(records);
  expect(found.map(({ name, questions }) => `${name} ${questions}`)).toEqual([
    ...['all 3', 'set 1 2', 'set 3 1', 'spotlight locating 2', 'chain of reasoning 1'],
    ...['financial 2', 'legal 1'],
  ]);
  expect(found[0]).toEqual({
    ...{ name: 'all', questions: 3, en: 2, zh: 1, meanDocuments: 4 / 3 },
    ...{ meanTokens: 20, leastTokens: 10, mostTokens: 30 },
  });
  expect(lengthStatistics([])).toEqual([]);
});
