/** `ships`: what ablating each head does to the next token of prompts. */
import { appendJsonLine, type Run } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { configuredAblation } from '../config.js';
import { rankHeads } from '../head.js';
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
import { headTable, printRun, scoreFileHead, scoresWithTies } from './score-output.js';

/** The verb `ships`. */
export const shipsCommand: CliCommand = {
  name: 'ships',
  summary: 'Score every head by what ablating it does to the next token, prompt by prompt.',
  options: [
    ...scoreFlags,
    {
      flags: '--group <heads>',
      summary: 'heads that are ablated throughout, such as 2-26,3-1',
      kind: 'list',
      topic: 'ablation',
    },
    {
      flags: '--screen <share>',
      summary: 'exact scores of this share of heads alone, after an estimate of all',
      kind: 'number',
    },
    { flags: '--top <n>', summary: 'heads that are printed', kind: 'integer', default: 10 },
    ...runFlags,
  ],
  example:
    "sahara ships --model example:organism --prompt 'I would like to polish the bell.' --top 5",
  run: async (context, given) => {
    const input = withEarlierFlags(given);
    const scoring = await openScoreInput(context, input);
    const { resolved, opened, data } = scoring;
    try {
      const group = groupOf(input, scoring);
      const command = ['sahara', ...process.argv.slice(2)];
      const passed = passedFlags(input);
      const facts = { resolved, opened, data, group, label: 'ships', command, passed };
      const run = openScoreRun(facts, placeOf(given));
      context.setRun(run.dir);
      context.onSecondInterrupt('ended at once; the prompts at work are scored again on resume.');
      const options: ShipsOptions = {
        ...limitsOf(resolved.config),
        ...{ ablation: configuredAblation(resolved.config), group, signal: context.signal },
        numerics: resolved.config.scores.numerics,
      };
      const file = await scoreAll(context, run, { scoring, options });
      context.print(headTable(file, input.options['top'] as number));
      printRun(context, run, { metrics: null, heads: rankHeads(file.scores, 10), unit: 'nats' });
    } finally {
      opened.model.dispose();
    }
  },
};

interface Scoring {
  readonly scoring: ScoreInput;
  readonly options: ShipsOptions;
}

/** Scores prompts that have none yet, a line each, then writes the file of all. */
async function scoreAll(context: CliContext, run: Run, parts: Scoring): Promise<ScoreFile> {
  const { scoring } = parts;
  const { prompts, data } = scoring;
  let file: ScoreFile | undefined;
  await withinRun(run, context.signal, async () => {
    const done = new Map(donePrompts(run).map((line) => [line.id, line]));
    const hashes = new Map(prompts.map(({ id, ids }) => [id, tokensHash(ids)]));
    for await (const { id, scores, nextToken, nextProbability } of scoresOf(context, done, parts)) {
      const inputSha256 = hashes.get(id)!;
      const line: PromptScoreLine = { id, inputSha256, scores, nextToken, nextProbability };
      appendJsonLine(run.path(runFiles.prompts), line);
      done.set(id, line);
    }
    context.progress.done();
    const lines = data.records.map(({ id }) => done.get(id)!);
    const { topHeads } = scoring.resolved.config.scores;
    file = {
      ...scoreFileHead(scoring),
      ...{ kind: 'ships', unit: 'nats', ...scoresWithTies(meanScores(lines)) },
      prompts: lines.map(({ id, scores }) => ({ id, top: rankHeads(scores, topHeads) })),
    };
    saveScores(run.path(runFiles.scores), file);
    return { promptCount: lines.length, top: rankHeads(file.scores, topHeads) };
  });
  return file!;
}

async function* scoresOf(
  context: CliContext,
  done: ReadonlyMap<string, PromptScoreLine>,
  { scoring, options }: Scoring,
): AsyncGenerator<PromptScores> {
  const { prompts, opened, resolved } = scoring;
  const { screenedShare: share } = resolved.config.scan;
  const onProgress = (own: number) => {
    const text = `ships  ${done.size}/${prompts.length} prompts`;
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
