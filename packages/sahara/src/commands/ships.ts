/** `ships`: what ablating each head does to the next token of prompts. */
import { appendJsonLine, ConfigError, type Run } from '@lab/core';
import type { CliCommand, CliContext, CliInput, CliOption } from '@lab/core/cli';
import type { PromptData } from '@lab/transformer';
import { readPrompts } from '@lab/transformer/commands';
import { configuredAblation } from '../config.js';
import { rankHeads } from '../head.js';
import type { TokenPrompt } from '../head-outputs.js';
import { type Pairing, pairings, withSources } from '../prompt-sources.js';
import { scoreConcentration } from '../report/concentration.js';
import { donePrompts, openScoreRun, runFiles, withinRun } from '../run-folder.js';
import {
  meanScores,
  type PromptScoreLine,
  saveScores,
  type ScoreFile,
  tokensHash,
} from '../score-file.js';
import { screenedShips } from '../screened-scan.js';
import { type PromptScores, shipsOfEach, type ShipsOptions } from '../ships.js';
import {
  groupOf,
  limitsOf,
  openScoreInput,
  passedFlags,
  placeOf,
  runFlags,
  type ScoreInput,
  scoreFlags,
  withEarlierFlags,
} from './score-input.js';
import { printRun, scoreFileHead, scoresWithTies } from './score-output.js';
import { concentrationText, harmlessText, headTable } from './score-tables.js';

const shipsFlags: readonly CliOption[] = [
  {
    flags: '--group <heads>',
    summary: 'heads that are ablated throughout, such as 2-26,3-1',
    kind: 'list',
    topic: 'ablation',
  },
  {
    flags: '--source <file>',
    summary: 'of --ablation patch: prompts whose outputs of heads are put in',
    topic: 'ablation',
  },
  {
    flags: '--pairing <how>',
    summary: 'of --source: the prompt in the same place, or one by chance (resampling)',
    choices: pairings,
    unit: 'default order',
    topic: 'ablation',
  },
  {
    flags: '--harmless <file>',
    summary: 'prompts that are answered, as well: heads that move both are not of refusals alone',
    topic: 'prompts',
  },
  {
    flags: '--screen <share>',
    summary: 'exact scores of this share of heads alone, after an estimate of all',
    kind: 'number',
  },
  { flags: '--top <n>', summary: 'heads that are printed', kind: 'integer', default: 10 },
];

/** The verb `ships`. */
export const shipsCommand: CliCommand = {
  name: 'ships',
  summary: 'Score every head by what ablating it does to the next token, prompt by prompt.',
  options: [...scoreFlags, ...shipsFlags, ...runFlags],
  example:
    "sahara ships --model example:organism --prompt 'I would like to polish the bell.' --top 5",
  run: async (context, given) => {
    const input = withEarlierFlags(given, 'ships');
    const scoring = await openScoreInput(context, input);
    const { resolved, opened, data } = scoring;
    try {
      const group = groupOf(input, scoring);
      const others = await otherPrompts(context, input, scoring);
      const command = ['sahara', ...process.argv.slice(2)];
      const passed = passedFlags(input);
      const facts = { resolved, opened, data, group, label: 'ships', command, passed };
      const run = openScoreRun(
        { ...facts, harmless: others.harmless, source: others.source },
        placeOf(given),
      );
      context.setRun(run.dir);
      context.onSecondInterrupt('ended at once; the prompts at work are scored again on resume.');
      const options: ShipsOptions = {
        ...limitsOf(resolved.config),
        ...{ ablation: configuredAblation(resolved.config), group, signal: context.signal },
        numerics: resolved.config.scores.numerics,
      };
      const files = await scoreAll(context, run, { scoring, options, others });
      const { lines, file, harmless } = files;
      context.print(headTable(file, { lines, count: input.options['top'] as number }));
      context.print(concentrationText(file.scores));
      if (harmless !== null) context.print(harmlessText(file, harmless));
      const concentration = scoreConcentration(file.scores);
      const heads = rankHeads(file.scores, 10);
      printRun(context, run, { metrics: null, heads, unit: 'nats', concentration });
    } finally {
      opened.model.dispose();
    }
  },
};

/** Prompts beside those that are scored. */
interface OtherPrompts {
  readonly harmless: PromptData | undefined;
  readonly source: PromptData | undefined;
  /** What is scored, with sources where there are some. */
  readonly prompts: readonly TokenPrompt[];
  readonly pairing: Pairing;
}

async function otherPrompts(
  context: CliContext,
  input: CliInput,
  { prompts, tokensOf, resolved }: ScoreInput,
): Promise<OtherPrompts> {
  const { harmless, source, pairing = 'order' } = input.options;
  const isPatch = resolved.config.ablation.kind === 'patch';
  if ((source !== undefined) !== isPatch) {
    throw new ConfigError(
      isPatch ? '--source FILE is missing.' : '--source is of another ablation.',
      {
        help: 'Give --ablation patch with --source FILE: a prompt for each, or --pairing random.',
      },
    );
  }
  if (isPatch && harmless !== undefined) {
    throw new ConfigError('--harmless is given beside --source.', {
      help: 'Give the harmless prompts as --source, or scan them by themselves.',
    });
  }
  const read = async (path: unknown) =>
    path === undefined ? undefined : readPrompts(context, input, String(path));
  const [answered, from] = [await read(harmless), await read(source)];
  const options = { pairing: pairing as Pairing, seed: resolved.config.seed };
  return {
    ...{ harmless: answered, source: from, pairing: options.pairing },
    prompts: from === undefined ? prompts : withSources(prompts, tokensOf(from), options),
  };
}

interface Scoring {
  readonly scoring: ScoreInput;
  readonly options: ShipsOptions;
  readonly others: OtherPrompts;
}

/** Prompts, and the files that their scores go to. */
interface PromptSet {
  readonly name: string;
  readonly data: PromptData;
  readonly prompts: readonly TokenPrompt[];
  readonly linesFile: string;
  readonly scoresFile: string;
}

interface ScoredSet {
  readonly lines: readonly PromptScoreLine[];
  readonly file: ScoreFile;
}

/** Scores prompts that have none yet, a line each, then writes the files of all. */
async function scoreAll(
  context: CliContext,
  run: Run,
  parts: Scoring,
): Promise<ScoredSet & { readonly harmless: ScoreFile | null }> {
  const { scoring, others } = parts;
  const found: ScoredSet[] = [];
  await withinRun(run, context.signal, async () => {
    for (const set of promptSets(scoring, others)) {
      found.push(await scoreSet(context, run, { ...parts, set }));
    }
    const { file, lines } = found[0]!;
    const { topHeads } = scoring.resolved.config.scores;
    return {
      promptCount: lines.length,
      top: rankHeads(file.scores, topHeads),
      concentration: scoreConcentration(file.scores),
    };
  });
  return { ...found[0]!, harmless: found[1]?.file ?? null };
}

function promptSets(scoring: ScoreInput, { harmless, prompts }: OtherPrompts): PromptSet[] {
  const { prompts: linesFile, scores: scoresFile } = runFiles;
  const asked = { name: 'ships', data: scoring.data, prompts, linesFile, scoresFile };
  if (harmless === undefined) return [asked];
  return [
    asked,
    {
      ...{ name: 'ships, harmless', data: harmless, prompts: scoring.tokensOf(harmless) },
      linesFile: runFiles.harmlessPrompts,
      scoresFile: runFiles.harmlessScores,
    },
  ];
}

type SetScoring = Scoring & { readonly set: PromptSet };

async function scoreSet(context: CliContext, run: Run, parts: SetScoring): Promise<ScoredSet> {
  const { scoring, set, others } = parts;
  const done = new Map(donePrompts(run, set.linesFile).map((line) => [line.id, line]));
  const hashes = new Map(set.prompts.map(({ id, ids }) => [id, tokensHash(ids)]));
  const categories = new Map(set.data.records.map(({ id, category }) => [id, category]));
  for await (const { id, scores, nextToken, nextProbability } of scoresOf(context, done, parts)) {
    const [inputSha256, category] = [hashes.get(id)!, categories.get(id)];
    const line: PromptScoreLine = {
      ...{ id, ...(category !== undefined && { category }) },
      ...{ inputSha256, scores, nextToken, nextProbability },
    };
    appendJsonLine(run.path(set.linesFile), line);
    done.set(id, line);
  }
  context.progress.done();
  const lines = set.data.records.map(({ id }) => done.get(id)!);
  const { topHeads } = scoring.resolved.config.scores;
  const { source, pairing } = others;
  const { sha256, records } = set.data;
  const file: ScoreFile = {
    ...scoreFileHead(scoring),
    data: { sha256, promptCount: records.length },
    ...(source !== undefined && {
      source: { sha256: source.sha256, promptCount: source.records.length, pairing },
    }),
    ...{ kind: 'ships', unit: 'nats', ...scoresWithTies(meanScores(lines)) },
    prompts: lines.map(({ id, category, scores }) => ({
      ...{ id, ...(category !== undefined && { category }) },
      top: rankHeads(scores, topHeads),
    })),
  };
  saveScores(run.path(set.scoresFile), file);
  return { lines, file };
}

async function* scoresOf(
  context: CliContext,
  done: ReadonlyMap<string, PromptScoreLine>,
  { scoring, options, set }: SetScoring,
): AsyncGenerator<PromptScores> {
  const { opened, resolved } = scoring;
  const { prompts, name } = set;
  const { screenedShare: share } = resolved.config.scan;
  const onProgress = (own: number) => {
    const text = `${name}  ${done.size}/${prompts.length} prompts`;
    context.progress.update(text, own);
  };
  const isDone = (id: string) => done.has(id);
  if (share === 1) {
    yield* shipsOfEach(opened.model, prompts, { ...options, onProgress, isDone });
    return;
  }
  for (const [at, prompt] of prompts.entries()) {
    onProgress(at / prompts.length);
    const { seed } = resolved.config;
    if (isDone(prompt.id)) continue;
    yield await screenedShips(opened.model, prompt, { ...options, share, seed });
  }
}
