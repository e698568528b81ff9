// Assembly of prompts of the real lengths: made-up documents as long as those of the benchmark.
// node --conditions=@lab/source --import tsx bench/assembly.ts [RECORDS] [MAX_LENGTH]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { assemblePrompt } from '../src/assemble.js';
import { type LoongDocument, namedLibrary } from '../src/library.js';
import { type LoongRecord, readRecords } from '../src/record.js';
import { makeCorpus } from '../src/synthetic/corpus.js';
import { setOfLength } from '../src/tasks.js';
import { countTokens } from '../src/tokens.js';

const [recordCount = '1600', maxLength = '128000'] = process.argv.slice(2);
const seed = 1;

/** Questions of each length set of the benchmark, their mean tokens, and those of the longest. */
const sets = [
  { n: 323, mean: 37_800, most: 50_000 },
  { n: 564, mean: 75_600, most: 100_000 },
  { n: 481, mean: 138_900, most: 198_000 },
  { n: 232, mean: 233_900, most: 250_000 },
] as const;

/** The released questions where they are at hand, else as many of the same lengths. */
async function readOrMakeRecords(): Promise<LoongRecord[]> {
  const path = join(process.env['LAB_DATA'] ?? '', 'loong', 'loong.jsonl.gz');
  if (existsSync(path)) return readRecords(path);
  const random = createRandom(seed).fork('records');
  return sets.flatMap(({ n, mean, most }, set) =>
    Array.from({ length: n }, (_, index): LoongRecord => {
      const length = Math.round(mean + (most - mean) * (2 * random.uniform() - 1));
      const language = random.uniform() < 0.57 ? 'zh' : 'en';
      const doc = Array.from({ length: 10 }, () => `${language} ${random.integer(900)}`);
      return {
        ...{ id: `${set} ${index}`, level: 2, set: setOfLength(length), length },
        ...{ type: 'financial', language, question: 'Which is the highest?', instruction: 'Read.' },
        ...{ prompt_template: '{docs}\n\n{instruction}\n\n{question}', doc: [...new Set(doc)] },
        ...{ answer: '', shuffle_doc: true },
      };
    }),
  );
}

/** Tokens of each document: what its questions leave for it on average. */
function documentLengths(records: readonly LoongRecord[]) {
  const sums = new Map<string, { tokens: number; count: number; language: 'en' | 'zh' }>();
  for (const { doc, length, language } of records) {
    for (const name of doc) {
      const known = sums.get(name) ?? { tokens: 0, count: 0, language };
      known.tokens += length / doc.length;
      known.count += 1;
      sums.set(name, known);
    }
  }
  return sums;
}

/** Documents of these lengths, each of paragraphs in an order of its own. */
async function makeDocuments(records: readonly LoongRecord[]): Promise<LoongDocument[]> {
  const corpus = makeCorpus({ perGroup: 3, characters: 40_000 });
  const pools = new Map(
    (['en', 'zh'] as const).map((language) => {
      const own = corpus.filter((document) => document.language === language);
      return [language, own.flatMap(({ text }) => text.split('\n\n'))] as const;
    }),
  );
  const sizes = new Map<string, number>();
  for (const paragraph of [...pools.values()].flat()) {
    sizes.set(paragraph, await countTokens(`${paragraph}\n\n`));
  }
  return [...documentLengths(records)].map(([name, { tokens, count, language }]) => {
    const random = createRandom(seed).fork(name);
    const pool = pools.get(language)!;
    const paragraphs: string[] = [];
    for (let left = tokens / count; left > 0; ) {
      const paragraph = pool[random.integer(pool.length)]!;
      paragraphs.push(paragraph);
      left -= sizes.get(paragraph)!;
    }
    return { name, title: name, text: paragraphs.join('\n\n') };
  });
}

const all = await readOrMakeRecords();
const step = Math.max(1, all.length / Number(recordCount));
const count = Math.min(all.length, Number(recordCount));
const records = Array.from({ length: count }, (_, at) => all[Math.floor(at * step)]!);
const library = namedLibrary('memory', await makeDocuments(records));
const window = { maxLength: Number(maxLength), reserveOutput: 0, slack: 0 };
const start = performance.now();
let [tokens, truncated, most] = [0, 0, 0];
for (const [index, record] of records.entries()) {
  const made = await assemblePrompt(record, {
    ...{ library, window, seed, verdictFix: true, shuffle: 'record' },
  });
  tokens += made.promptTokens;
  truncated += made.docsDropped.length > 0 ? 1 : 0;
  most = Math.max(most, made.promptTokens);
  if ((index + 1) % 100 === 0) process.stderr.write(`${index + 1}/${records.length}\n`);
}
const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
const limitSeconds = 15 * 60;
process.stdout.write(
  `${JSON.stringify({ records: records.length, tokens, truncated, most, seconds, megabytes })}\n`,
);
process.exitCode = seconds <= limitSeconds && most <= window.maxLength ? 0 : 1;
