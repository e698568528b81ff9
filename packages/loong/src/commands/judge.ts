/** `judge`: the answers of a run before a judge. */
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import {
  passedCommand,
  passedFlags,
  processFlags,
  readRunSettings,
  runFlags,
  textOf,
} from '@lab/llm/commands';
import { isJudged, responseOf } from '../answers.js';
import { loongConfig } from '../config.js';
import { type AnsweredRecord, judgeAnswers, judgeRequest } from '../judge.js';
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

async function run(
  context: CliContext,
  { arguments: [dir = ''], options: flags }: CliInput,
): Promise<number> {
  const answers = await answeredRecords(dir, textOf(flags, 'data'));
  const { config, mode, preset } = await readConfigInput(loongConfig, flags);
  const out = judgementsFolder(dir, textOf(flags, 'model') ?? 'judge');
  const settings = readRunSettings(flags, out);
  const { budget, isDryRun, concurrency } = settings;
  const session = await openModel({ context, options: flags, budget, isDryRun });
  const { client, prices, cache, server } = session;
  try {
    if (isDryRun) {
      const asked = answers.filter(
        ({ response }) => config.judge.judgeEmpty || response.trim() !== '',
      );
      const requests = asked.map((one) => ({ id: one.id, request: judgeRequest(one, config) }));
      const { maxTokens } = config.judge;
      const plan = await planRequests(requests, { client, cache, prices, concurrency, maxTokens });
      context.print(`${planText(plan)}\n`);
      context.printJson({ run: dir, status: 'planned', metrics: null, plan });
      return 0;
    }
    context.setRun(out);
    context.note(`${answers.length} answers, judged by ${client.model} at ${server}`);
    const result = await judgeAnswers({
      ...{ answers, client, config, out, resume: true, allowMixed: settings.allowMixed },
      facts: {
        ...{ mode, preset, server, data: await dataRecords(flagsOfRun(dir, dataOf(flags))) },
        ...{ command: passedCommand('loong'), passed: passedFlags(flags, processFlags) },
      },
      ...{ budget, maxErrors: settings.maxErrors, signal: context.signal },
      costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
      onProgress: progressReporter(context, 'judge'),
    }).catch((error: unknown) => {
      throw withResume(error, dir, 'judge');
    });
    context.progress.done();
    context.print(`${resultText(result)}\n`);
  } finally {
    await session.close();
  }
  return concludeRun(context, { dir, judge: out, data: dataOf(flags), ruleScores: false });
}

const dataOf = (flags: Flags) => textOf(flags, 'data');
