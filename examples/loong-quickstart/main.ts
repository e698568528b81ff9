// At which length does a reader stop working? Questions over made-up documents go to a SCRIPTED
// reader that sees 16,000 tokens of them; `--live URL --model NAME` asks a model instead. Answers
// are scored by rule.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveConfig } from '@lab/core';
import { createClient } from '@lab/llm';
import {
  createTableReader,
  evaluateScores,
  factsOfTables,
  generateAnswers,
  loongConfig,
  makeCorpus,
  makeQuestions,
  namedLibrary,
  readAnswers,
  scoreRecords,
} from '@lab/loong';

const { values } = parseArgs({
  options: { live: { type: 'string' }, model: { type: 'string', default: 'default' } },
});

const documents = makeCorpus({ perGroup: 8 });
const { records } = await makeQuestions({
  documents,
  facts: factsOfTables(documents),
  lengths: [12_000, 24_000, 36_000],
  perCell: 1,
});
console.error(`${records.length} questions over ${documents.length} made-up documents`);

const client =
  values.live === undefined
    ? createTableReader({ records, windowTokens: 16_000 })
    : createClient({
        baseUrl: values.live,
        model: values.model,
        apiKey: process.env['LAB_API_KEY'],
      });
const out = join(mkdtempSync(join(tmpdir(), 'loong-')), 'run');
const { config } = resolveConfig(loongConfig, {});
const library = namedLibrary('memory', documents);
await generateAnswers({ records, library, client, config, out });
await client.close();

const scored = await scoreRecords({
  records,
  answers: readAnswers(out),
  judgements: null,
  ruleScores: true,
});
const { overall, bySet } = evaluateScores(scored, { resamples: 500 });
const scores = bySet.map(({ averageScore }) => Number(averageScore?.value.toFixed(1)));
for (const [index, score] of scores.entries()) {
  console.error(`up to ${12 * (index + 1)}K tokens: average score ${score}`);
}
console.log(JSON.stringify({ model: client.model, questions: overall.n, scores }));
