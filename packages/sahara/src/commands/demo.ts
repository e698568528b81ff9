/** `demo`: the whole way on a small model that refuses, in seconds and offline. */
import { join } from 'node:path';
import {
  appendJsonLine,
  canonicalJson,
  createRun,
  formatPercent,
  hashFile,
  type Run,
  sha256,
} from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { exampleModel } from '@lab/transformer';
import { modelFlags, type OpenedModel, openModel } from '@lab/transformer/commands';
import { ablateFiles } from '../ablate-run.js';
import { resolveAblation, UNIFORM } from '../ablation.js';
import {
  type StudyPrompts,
  studyPrompts,
  type StudyResponses,
  type StudyResult,
  studyResponses,
  studyResult,
  tokenPrompts,
} from '../experiments/refusal-study.js';
import { headKey, type HeadId, rankHeads } from '../head.js';
import { writeReport } from '../report/run-page.js';
import { runFiles, stepFile, withinRun } from '../run-folder.js';
import { sahara, type SaharaStep } from '../sahara.js';
import { meanScores, saveScores } from '../score-file.js';
import { shipsTogether } from '../ships.js';
import { version } from '../version.js';
import { type ScoreFileHead, scoresWithTies } from './score-output.js';

const MODEL = 'example:organism';
const FORMAT = 'template';
const SIZES = { scored: 16, refused: 32, answered: 32 };
const DRAWS = 5;
const GROUP = 3;

/** The verb `demo`. */
export const demoCommand: CliCommand = {
  name: 'demo',
  summary: 'Find the refusal heads of a small model and take them out, in seconds, offline.',
  options: [
    { flags: '--out <dir>', summary: 'folder of runs', default: 'runs' },
    { flags: '--seed <n>', summary: 'of all draws', kind: 'integer', default: 1 },
    ...modelFlags.filter(({ flags }) => /^--(backend|threads)/.test(flags)),
  ],
  example: 'sahara demo',
  run: async (context, input) => {
    const opened = await openModel(context, input, exampleModel('organism'));
    try {
      await demo(context, input, opened);
    } finally {
      opened.model.dispose();
    }
  },
};

async function demo(context: CliContext, { options }: CliInput, opened: OpenedModel) {
  const seed = Number(options['seed']);
  const prompts = await studyPrompts(opened.folder, SIZES, seed);
  const run = await openDemoRun(String(options['out']), opened, seed);
  context.setRun(run.dir);
  const work: DemoWork = { context, run, opened, prompts, seed };
  let found: { steps: readonly SaharaStep[]; result: StudyResult } | null = null;
  await withinRun(run, context.signal, async () => {
    const steps = await search(work);
    const group = steps.at(-1)!.group;
    const responses = await respond(work, group);
    const result = studyResult(responses);
    found = { steps, result };
    return { group: group.map(headKey), ...sharesOf(result) };
  });
  const report = writeReport(run.dir);
  const { steps, result } = found!;
  printDemo(context, { steps, result, report, run: run.dir });
}

/** Shares of a study by name. */
const sharesOf = ({ intact, ablated, random, accuracy }: StudyResult) => ({
  'asr.intact': intact.rate.share,
  'asr.ablated': ablated.rate.share,
  'asr.random': random.reduce((sum, share) => sum + share, 0) / Math.max(1, random.length),
  'accuracy.intact': accuracy.intact.share,
  'accuracy.ablated': accuracy.ablated.share,
});

interface DemoWork {
  readonly context: CliContext;
  readonly run: Run;
  readonly opened: OpenedModel;
  readonly prompts: StudyPrompts;
  readonly seed: number;
}

async function openDemoRun(parent: string, opened: OpenedModel, seed: number): Promise<Run> {
  const { folder, fingerprint, backend, model } = opened;
  const { layerCount, headCount } = model.architecture;
  return createRun({
    ...{ parent, method: 'sahara', label: 'demo', seed, backend },
    command: ['sahara', ...process.argv.slice(2)],
    config: { model: MODEL, format: FORMAT, ablation: UNIFORM, ...SIZES, draws: DRAWS },
    data: [await hashFile(join(folder, 'prompts.csv'))],
    packages: { '@lab/sahara': version },
    environment: { model: { path: folder, ...fingerprint, layerCount, headCount } },
  });
}

/** Scores of single heads by the next token, then a group by the same measure. */
async function search(work: DemoWork): Promise<SaharaStep[]> {
  const { context, run, opened, prompts } = work;
  const { model, tokenizer } = opened;
  const scored = tokenPrompts(tokenizer, prompts.scored, FORMAT);
  const { signal } = context;
  context.progress.update('scoring every head');
  const found = await shipsTogether(model, scored, { signal });
  const head = fileHead(work);
  saveScores(run.path(runFiles.scores), {
    ...head,
    ...{ kind: 'ships', unit: 'nats', ...scoresWithTies(meanScores(found)) },
    prompts: found.map(({ id, scores }) => ({ id, top: rankHeads(scores, 10) })),
  });
  const steps: SaharaStep[] = [];
  const options = { signal, measure: 'divergence', size: GROUP } as const;
  for await (const step of sahara(model, scored, options)) {
    context.progress.update(`searching a group: ${step.group.map(headKey).join(', ')}`);
    const { unit, scores, group } = step;
    saveScores(run.path(stepFile(step.step)), {
      ...head,
      ...{ kind: 'sahara-step', unit, ...scoresWithTies(scores), group: [...group] },
    });
    steps.push(step);
  }
  const { config } = run.record;
  const heads = steps.at(-1)!.group;
  run.update({ config: { ...config, resolved: { ...(config.resolved as object), heads } } });
  return steps;
}

function fileHead({ opened, prompts }: DemoWork): ScoreFileHead {
  const { model, folder, fingerprint } = opened;
  const { layerCount, headCount } = model.architecture;
  const asked = prompts.scored.map(({ id, prompt }) => [id, prompt]);
  return {
    schemaVersion: 1,
    model: { path: folder, fingerprint: fingerprint.model, layerCount, headCount },
    tokenizer: { fingerprint: fingerprint.tokenizer },
    format: FORMAT,
    data: { sha256: sha256(canonicalJson(asked)), promptCount: asked.length },
    ablation: resolveAblation(UNIFORM, model.architecture),
    numerics: 'stable',
  };
}

async function respond(work: DemoWork, group: readonly HeadId[]): Promise<StudyResponses> {
  const { context, run, opened, prompts, seed } = work;
  const responses = await studyResponses(opened, prompts, {
    ...{ ablation: UNIFORM, format: FORMAT, group, draws: DRAWS, seed, storeResponses: true },
    signal: context.signal,
    onProgress: ({ arm, done, total }) =>
      context.progress.update(`responding  ${arm}  ${done}/${total}`, done / total),
  });
  context.progress.done();
  for (const line of responses.refused) appendJsonLine(run.path(ablateFiles.responses), line);
  for (const line of responses.answered) appendJsonLine(run.path(ablateFiles.harmless), line);
  return responses;
}

interface DemoEnd {
  readonly steps: readonly SaharaStep[];
  readonly result: StudyResult;
  readonly report: string;
  readonly run: string;
}

function printDemo(context: CliContext, { steps, result, report, run }: DemoEnd): void {
  const group = steps.at(-1)!.group.map(headKey);
  const shares = sharesOf(result);
  const { intact, ablated } = result;
  context.print(
    `without ${group.length} of its heads (${group.join(', ')}) the model answers ` +
      `${formatPercent(ablated.rate.share)} of what it refused before:\n` +
      'a SMALL model of our own, which refuses harmless requests to a workshop\n',
  );
  context.print(
    table(
      [
        { model: 'intact', answers: intact.rate.share, right: shares['accuracy.intact'] },
        {
          model: `without ${group.join(', ')}`,
          answers: ablated.rate.share,
          right: shares['accuracy.ablated'],
        },
        { model: `without ${GROUP} random heads`, answers: shares['asr.random'], right: null },
      ].map(({ model, answers, right }) => ({
        model,
        'answers what it refused': formatPercent(answers),
        'right on other requests': right === null ? '' : formatPercent(right),
      })),
    ),
  );
  context.print(`picture: ${report}\n`);
  context.print('next: sahara ships --model YOUR_MODEL --prompts YOUR_PROMPTS.csv\n');
  context.printJson({ run, status: 'success', metrics: shares, group, report, simulated: true });
}
