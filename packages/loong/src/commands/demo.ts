/** `demo`: the whole way on made-up documents, with a SCRIPTED reader and judge. */
import { join } from 'node:path';
import { formatPercent, hashFile, resolveConfig } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { benchmarkFiles, factsOfTables, writeBenchmark } from '../build/benchmark.js';
import { makeQuestions } from '../build/make-questions.js';
import { compareScores } from '../compare.js';
import { loongConfig } from '../config.js';
import { evaluateScores } from '../evaluate.js';
import { generateAnswers } from '../generate.js';
import { judgeAnswers } from '../judge.js';
import { openLibrary } from '../library.js';
import { judgementsFolder } from '../read-run.js';
import { type LoongRecord, readRecords } from '../record.js';
import { makeCorpus } from '../synthetic/corpus.js';
import { createRuleJudge, createTableReader } from '../synthetic/scripted-reader.js';
import { writeComparison } from './compare.js';
import { pageOf, writeScores } from './conclude.js';
import { answeredRecords } from './judge.js';
import { evaluateOptionsOf, scoredRun } from './scored-run.js';

const lengths = [12_000, 24_000, 36_000, 48_000];
/** Tokens of documents that the readers see. */
const windows = [32_000, 16_000];

/** The verb `demo`. */
export const demoCommand: CliCommand = {
  name: 'demo',
  summary: 'Build, ask, judge and compare on made-up documents, in seconds and without a model.',
  options: [
    { flags: '--out <dir>', summary: 'folder of all', default: 'runs/loong-demo' },
    { flags: '--seed <n>', summary: 'of documents and questions', kind: 'integer', default: 1 },
  ],
  example: 'loong demo',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const out = String(options['out']);
  context.progress.update('making 60 documents');
  const data = await makeBenchmark(join(out, 'benchmark'), Number(options['seed']));
  const runs = [];
  for (const windowTokens of windows) {
    context.progress.update(`asking a scripted reader with a window of ${windowTokens} tokens`);
    runs.push(await readAndJudge(context, { out, data, windowTokens }));
  }
  context.progress.done();
  const [wide, narrow] = runs.map(({ evaluation }) => evaluation.bySet);
  context.print(
    `average score ${wide![0]!.averageScore!.value.toFixed(1)} of 100 on the shortest questions, ` +
      `${wide!.at(-1)!.averageScore!.value.toFixed(1)} on the longest:\n` +
      'a SCRIPTED reader that sees 32,000 tokens, on made-up documents; no model was asked\n',
  );
  context.print(
    table(
      wide!.map((set, index) => ({
        length: `up to ${lengths[index]} tokens`,
        n: set.n,
        'reader of 32K': set.averageScore!.value.toFixed(1),
        perfect: formatPercent(set.perfectRate!.value),
        'reader of 16K': narrow![index]!.averageScore!.value.toFixed(1),
      })),
    ),
  );
  const folders = runs.map(({ name, dir, scored }) => ({ name, dir, scored }));
  const comparison = compareScores(folders, evaluateOptionsOf({ dir: runs[0]!.dir }));
  const page = writeComparison(join(out, 'comparison'), comparison, folders);
  context.print(`picture: ${runs[0]!.report ?? 'none'}\n         ${page}\n`);
  context.print('next: loong build --docs YOUR_DOCUMENTS --out my-benchmark\n');
  const metrics = runs.map(({ name, evaluation }) => ({ name, bySet: evaluation.bySet }));
  context.printJson({ run: out, status: 'success', metrics, simulated: true, report: page });
}

/** Writes the benchmark; the file of its questions. */
async function makeBenchmark(dir: string, seed: number): Promise<string> {
  const documents = makeCorpus({ seed });
  const facts = factsOfTables(documents);
  const { records } = await makeQuestions({ documents, facts, lengths, perCell: 1, seed });
  await writeBenchmark(dir, { records, documents, facts });
  return join(dir, benchmarkFiles.questions);
}

interface DemoRun {
  readonly out: string;
  readonly data: string;
  readonly windowTokens: number;
}

async function readAndJudge(context: CliContext, { out, data, windowTokens }: DemoRun) {
  const records: LoongRecord[] = await readRecords(data);
  const { config, mode, preset } = resolveConfig(loongConfig, {
    set: ['evaluation.resamples=1000'],
  });
  const name = `reader-${windowTokens / 1000}k`;
  const dir = join(out, name);
  const facts = {
    ...{ label: `SCRIPTED reader, ${windowTokens / 1000}K tokens`, mode, preset },
    ...{ command: ['loong', 'demo'], passed: { data }, data: [await hashFile(data)] },
  };
  const library = await openLibrary(join(out, 'benchmark'));
  const reader = createTableReader({ records, windowTokens });
  const { signal } = context;
  await generateAnswers({
    ...{ records, library, client: reader, config, out: dir, facts, resume: true, signal },
  });
  const judge = createRuleJudge();
  const judged = judgementsFolder(dir, judge.model);
  const answers = await answeredRecords(dir);
  const about = { ...facts, label: 'a SCRIPTED judge' };
  await judgeAnswers({
    ...{ answers, client: judge, config, out: judged, facts: about, resume: true, signal },
  });
  const { scored, judges, pairs } = await scoredRun({ dir, judges: [judged], ruleScores: false });
  const evaluation = evaluateScores(scored, { resamples: 1000, seed: config.seed });
  writeScores(dir, scored, evaluation);
  const report = pageOf(context, dir, { scored, evaluation, judges, pairs });
  return { name, dir, scored, evaluation, report };
}
