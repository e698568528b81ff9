/** `judge`: the answers of a run before a judge. */
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import {
  batchFlags,
  type ModelSession,
  passedCommand,
  passedFlags,
  processFlags,
  readRunSettings,
  runFlags,
  type RunSettings,
  textOf,
  writePendingBatch,
} from '@lab/llm/commands';
import { isJudged, responseOf } from '../answers.js';
import { type LoongConfig, loongConfig } from '../config.js';
import { type AnsweredRecord, judgeAnswer, judgeAnswers, judgeRequest } from '../judge.js';
import { planRequests } from '../plan.js';
import { judgementsFolder, readAnswers, settingsOfRun } from '../read-run.js';
import { flagsOfRun, selectedRecords } from './data-options.js';
import { concludeRun } from './conclude.js';
import { dataRecords, withResume } from './run.js';
import { openModel } from './session.js';
import { planText, progressReporter, resultText } from './texts.js';

const shardless = runFlags('answers').filter(({ flags }) => !/^--(out|resume|shard)/.test(flags));

/** The verb `judge`. */
export const judgeCommand: CliCommand = {
  name: 'judge',
  summary: 'Have the answers of a run judged; what is judged already is not asked again.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
    ...shardless,
    ...batchFlags,
    ...configOptions(loongConfig),
  ],
  example: 'loong judge runs/first --base-url http://localhost:8001/v1 --model JUDGE',
  run: (context, input) => run(context, input),
};

type Flags = Readonly<Record<string, unknown>>;

/** Questions of a run with the answers that can be judged. */
export async function answeredRecords(dir: string, data?: string): Promise<AnsweredRecord[]> {
  settingsOfRun(dir);
  const records = await selectedRecords(flagsOfRun(dir, data));
  const answers = readAnswers(dir);
  return records.flatMap((record) => {
    const prediction = answers.get(record.id);
    if (prediction === undefined || !isJudged(prediction)) return [];
    return [{ id: record.id, record, response: responseOf(prediction) }];
  });
}

interface JudgeWork {
  readonly dir: string;
  readonly out: string;
  readonly answers: readonly AnsweredRecord[];
  readonly config: LoongConfig;
  readonly mode: string;
  readonly preset: string | null;
  readonly flags: Flags;
  readonly settings: RunSettings;
  readonly session: ModelSession;
}

async function run(
  context: CliContext,
  { arguments: [dir = ''], options: flags }: CliInput,
): Promise<number> {
  const answers = await answeredRecords(dir, dataOf(flags));
  const resolved = await readConfigInput(loongConfig, flags);
  const out = judgementsFolder(dir, textOf(flags, 'model') ?? 'judge');
  const isExport = flags['exportBatch'] !== undefined;
  const settings = readRunSettings(isExport ? { ...flags, dryRun: true } : flags, out);
  const { budget, isDryRun } = settings;
  const session = await openModel({ context, options: flags, budget, isDryRun });
  const work = { dir, out, answers, ...resolved, flags, settings, session };
  try {
    if (isExport) return await exportAll(context, work);
    if (isDryRun) return await showPlan(context, work);
    await judgeAll(context, work);
  } finally {
    await session.close();
  }
  return concludeRun(context, { dir, judges: [out], data: dataOf(flags), ruleScores: false });
}

async function showPlan(context: CliContext, work: JudgeWork): Promise<number> {
  const { dir, answers, config, session, settings } = work;
  const { client, cache, prices } = session;
  const asked = answers.filter(({ response }) => config.judge.judgeEmpty || response.trim() !== '');
  const requests = asked.map((one) => ({ id: one.id, request: judgeRequest(one, config) }));
  const { maxTokens } = config.judge;
  const { concurrency } = settings;
  const plan = await planRequests(requests, { client, cache, prices, concurrency, maxTokens });
  context.print(`${planText(plan)}\n`);
  context.printJson({ run: dir, status: 'planned', metrics: null, plan });
  return 0;
}

/** Writes what the judge would be asked next: first judgements, then those without a score. */
async function exportAll(context: CliContext, work: JudgeWork): Promise<number> {
  const { answers, config, flags, session } = work;
  await writePendingBatch(context, flags, {
    rows: answers,
    step: (answer, client) => judgeAnswer(answer, { client, setStatus: () => undefined }, config),
    ...{ session, rowName: 'answer' },
  });
  return 0;
}

async function judgeAll(context: CliContext, work: JudgeWork): Promise<void> {
  const { dir, out, answers, config, mode, preset, flags, settings, session } = work;
  const { client, prices, server } = session;
  const { budget, maxErrors, allowMixed } = settings;
  context.setRun(out);
  context.note(`${answers.length} answers, judged by ${client.model} at ${server}`);
  const result = await judgeAnswers({
    ...{ answers, client, config, out, resume: true, allowMixed },
    facts: {
      ...{ mode, preset, server, data: await dataRecords(flagsOfRun(dir, dataOf(flags))) },
      ...{ command: passedCommand('loong'), passed: passedFlags(flags, processFlags) },
    },
    ...{ budget, maxErrors, signal: context.signal },
    costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
    onProgress: progressReporter(context, 'judge'),
  }).catch((error: unknown) => {
    throw withResume(error, `loong judge ${dir} --model ${client.model} ...`);
  });
  context.progress.done();
  context.print(`${resultText(result)}\n`);
}

const dataOf = (flags: Flags) => textOf(flags, 'data');
