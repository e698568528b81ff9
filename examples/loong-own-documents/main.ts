// A benchmark of your own documents: `docs` holds eight yearly reports with a table each, and
// `facts.csv` what stands in their sentences. Gold answers follow from the values. Answers come
// from a SCRIPTED reader; `--live URL --model NAME` asks a model instead.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { resolveConfig } from '@lab/core';
import { createClient } from '@lab/llm';
import {
  createTableReader,
  evaluateScores,
  factsOfTables,
  generateAnswers,
  loongConfig,
  makeQuestions,
  openLibrary,
  readAnswers,
  readFacts,
  readOwnDocuments,
  scoreRecords,
  unsaidFacts,
  writeBenchmark,
} from '@lab/loong';

const { values } = parseArgs({
  options: { live: { type: 'string' }, model: { type: 'string', default: 'default' } },
});
const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const documents = await readOwnDocuments(at('docs'));
const facts = [...(await readFacts(at('facts.csv'))), ...factsOfTables(documents)];
const { records } = await makeQuestions({ documents, facts, lengths: [700, 1200], perCell: 2 });
const folder = mkdtempSync(join(tmpdir(), 'loong-'));
await writeBenchmark(join(folder, 'benchmark'), { records, documents, facts });
for (const { question } of records.slice(0, 4)) console.error(`asked: ${question}`);

const client =
  values.live === undefined
    ? createTableReader({ records, windowTokens: 100_000 })
    : createClient({
        baseUrl: values.live,
        model: values.model,
        apiKey: process.env['LAB_API_KEY'],
      });
const { config } = resolveConfig(loongConfig, {});
const out = join(folder, 'run');
const library = await openLibrary(join(folder, 'benchmark'));
await generateAnswers({ records, library, client, config, out });
await client.close();

const answers = readAnswers(out);
const scored = await scoreRecords({ records, answers, judgements: null, ruleScores: true });
const { overall, byLevel } = evaluateScores(scored, { resamples: 500 });
for (const { name, n, averageScore } of byLevel) {
  console.error(`${name}: ${averageScore?.value.toFixed(1)} on ${n} questions`);
}
const score = Number(overall.averageScore?.value.toFixed(1));
const unsaid = unsaidFacts(facts, documents).length;
console.log(
  JSON.stringify({
    documents: documents.length,
    facts: facts.length,
    unsaid,
    questions: overall.n,
    score,
  }),
);
