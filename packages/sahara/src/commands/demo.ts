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
  bestHeads,
  type NamedGroup,
  type StudyPrompts,
  studyPrompts,
  type StudyResponses,
  type StudyResult,
  studyResponses,
  studyResult,
  tokenPrompts,
} from '../experiments/refusal-study.js';
import { headKey, rankHeads } from '../head.js';
import { writeReport } from '../report/run-page.js';
import { runFiles, stepFile, withinRun } from '../run-folder.js';
import { sahara } from '../sahara.js';
import { meanScores, saveScores } from '../score-file.js';
import { shipsTogether } from '../ships.js';
import { version } from '../version.js';
import { type ScoreFileHead, scoresWithTies } from './score-output.js';

const FORMAT = 'template';
const SIZES = { scored: 12, refused: 32, answered: 16 };
const DRAWS = 3;
/** Heads of each group. */
const SIZE = 2;

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

interface DemoWork {
  readonly context: CliContext;
  readonly run: Run;
  readonly opened: OpenedModel;
  readonly prompts: StudyPrompts;
  readonly seed: number;
}

async function demo(context: CliContext, { options }: CliInput, opened: OpenedModel) {
  const seed = Number(options['seed']);
  const prompts = await studyPrompts(opened.folder, SIZES, seed);
  const run = await openDemoRun(String(options['out']), opened, seed);
  context.setRun(run.dir);
  const work: DemoWork = { context, run, opened, prompts, seed };
  let result: StudyResult | undefined;
  await withinRun(run, context.signal, async () => {
    const groups = await search(work);
    result = studyResult(await respond(work, groups), groups);
    return sharesOf(result);
  });
  const report = writeReport(run.dir);
  printDemo(context, { result: result!, report, run: run.dir });
}

async function openDemoRun(parent: string, opened: OpenedModel, seed: number): Promise<Run> {
  const { folder, fingerprint, backend, model } = opened;
  const { layerCount, headCount } = model.architecture;
  return createRun({
    ...{ parent, method: 'sahara', label: 'demo', seed, backend },
    command: ['sahara', ...process.argv.slice(2)],
    config: {
      model: 'example:organism',
      format: FORMAT,
      ablation: UNIFORM,
      ...SIZES,
      draws: DRAWS,
    },
    data: [await hashFile(join(folder, 'prompts.csv'))],
    packages: { '@lab/sahara': version },
    environment: { model: { path: folder, ...fingerprint, layerCount, headCount } },
  });
}

/** The best heads by themselves, and the group that turns the subspace most. */
async function search(work: DemoWork): Promise<NamedGroup[]> {
  const { context, run, opened, prompts } = work;
  const { model, tokenizer } = opened;
  const scored = tokenPrompts(tokenizer, prompts.scored, FORMAT);
  const { signal } = context;
  context.progress.update('scoring every head');
  const found = await shipsTogether(model, scored, { signal });
  const head = fileHead(work);
  const scores = meanScores(found);
  saveScores(run.path(runFiles.scores), {
    ...head,
    ...{ kind: 'ships', unit: 'nats', ...scoresWithTies(scores) },
    prompts: found.map((one) => ({ id: one.id, top: rankHeads(one.scores, 10) })),
  });
  const single = bestHeads(scores, SIZE);
  let group = single;
  for await (const step of sahara(model, scored, { signal, size: SIZE })) {
    group = [...step.group];
    context.progress.update(`searching a group: ${group.map(headKey).join(', ')}`);
    saveScores(run.path(stepFile(step.step)), {
      ...head,
      ...{ kind: 'sahara-step', unit: step.unit, ...scoresWithTies(step.scores), group },
    });
  }
  const { config } = run.record;
  run.update({
    config: { ...config, resolved: { ...(config.resolved as object), heads: single } },
  });
  const named = (way: string, heads: typeof single) => ({
    ...{ name: `${way}: ${heads.map(headKey).join(', ')}`, heads },
  });
  return [named('Ships', single), named('Sahara', group)];
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

async function respond(work: DemoWork, groups: readonly NamedGroup[]): Promise<StudyResponses> {
  const { context, run, opened, prompts, seed } = work;
  const responses = await studyResponses(opened, prompts, {
    ...{ ablation: UNIFORM, format: FORMAT, groups, draws: DRAWS, seed, storeResponses: true },
    signal: context.signal,
    onProgress: ({ arm, done, total }) =>
      context.progress.update(`responding  ${arm}  ${done}/${total}`, done / total),
  });
  context.progress.done();
  for (const line of responses.refused) appendJsonLine(run.path(ablateFiles.responses), line);
  for (const line of responses.answered) appendJsonLine(run.path(ablateFiles.harmless), line);
  return responses;
}

const meanOf = (shares: readonly number[]): number =>
  shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);

/** Shares of a study by name. */
const sharesOf = ({ intact, groups, random }: StudyResult) => ({
  'asr.intact': intact.success.rate.share,
  'asr.ships': groups[0]!.success.rate.share,
  'asr.sahara': groups[1]!.success.rate.share,
  'asr.random': meanOf(random),
});

interface DemoEnd {
  readonly result: StudyResult;
  readonly report: string;
  readonly run: string;
}

function printDemo(context: CliContext, { result, report, run }: DemoEnd): void {
  const { intact, groups, random } = result;
  const [best] = groups;
  const { n } = intact.success.rate;
  context.print(
    `without ${best!.heads.length} of its 40 heads the model answers ` +
      `${formatPercent(best!.success.rate.share)} of ${n} requests that it refuses:\n` +
      'a SMALL model of our own, trained to refuse through two heads; its refusals are stand-ins\n',
  );
  const rows = [intact, ...groups].map(({ name, success, accuracy }) => ({
    'heads ablated': name === 'intact' ? 'none' : name,
    'answers what it refused': formatPercent(success.rate.share),
    'right on other requests': formatPercent(accuracy.share),
  }));
  const chance = {
    'heads ablated': `${SIZE} random ones, ${random.length} draws`,
    'answers what it refused': formatPercent(meanOf(random)),
    'right on other requests': '',
  };
  context.print(table([...rows, chance]));
  context.print(`picture: ${report}\n`);
  context.print('next: sahara ships --model YOUR_MODEL --prompts YOUR_PROMPTS.csv\n');
  const heads = Object.fromEntries(groups.map(({ name, heads: own }) => [name, own.map(headKey)]));
  context.printJson({ run, status: 'success', metrics: sharesOf(result), heads, report });
}
