/** `review`: the pairs that are worth a look, and what was decided on them. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { collectDefects, ConfigError, formatCount, formatCounted } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  defectList,
  defectsError,
} from '@lab/core/cli';
import { writeSeeds } from '@lab/graph';
import { writeReviewPage } from '@lab/report';
import { isAutomatic } from '../automatic-seeds.js';
import { restoreAcceptedSeeds } from '../accepted-seeds.js';
import type { AlignmentMethod } from '../method.js';
import { readRefused, writeRefused } from '../refused-pairs.js';
import { type RestoredRun, restoreRun } from '../restore.js';
import {
  pairsToReview,
  reviewColumns,
  type ReviewPair,
  reviewQuestion,
  writeReview,
} from '../review.js';
import { readDecisions } from '../review-decisions.js';
import { allRefused, reviewedSeeds } from '../reviewed-seeds.js';
import { assertFolder, backendOptions, textOption } from './options.js';
import { readConfidence } from './run-confidence.js';
import { chosenBackend } from './train.js';
import { trainAgainText } from './train-again.js';

const COUNT = 50;

/** The verb `review`. */
export const reviewCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'review',
  summary: 'Write the least sure pairs for a decision by hand, or take the decisions back.',
  options: [
    { flags: '--run <dir>', summary: 'a trained run', topic: 'data' },
    {
      flags: '--decisions <file>',
      summary: 'a reviewed file: write seeds with the confirmed pairs, without the refused',
      topic: 'data',
    },
    {
      flags: '--refused <file>',
      summary: 'refused pairs: not proposed again; with --decisions added to',
      topic: 'data',
      unit: 'with --decisions default refused.tsv beside --out',
    },
    {
      flags: '--count <n>',
      summary: 'pairs to review',
      topic: 'data',
      kind: 'integer',
      unit: `default ${COUNT}`,
    },
    {
      flags: '--by <name>',
      summary: 'confidence nearest to even odds, or lowest margin',
      topic: 'data',
      choices: ['confidence', 'margin'],
      unit: 'default confidence where there is one',
    },
    {
      flags: '--out <file>',
      summary: 'where to write',
      topic: 'output',
      unit: 'default review.csv; with --decisions seeds.tsv',
    },
    { flags: '--page <file>', summary: 'also a page on which to decide', topic: 'output' },
    ...backendOptions,
  ],
  example: `${method.name} review --run runs/A --out review.csv --page review.html`,
  run: (context, input) => runReview(method, context, input),
});

async function runReview(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<void> {
  const { options } = input;
  const dir = textOption(options, 'run');
  if (dir === undefined) {
    throw new ConfigError(`${method.name} review: --run is missing.`, {
      help: `give the folder of a run that "${method.name} train" made: --run RUN`,
    });
  }
  assertOptions(method.name, options);
  await chosenBackend(context, input);
  context.setRun(dir);
  context.progress.update('reading the run');
  const restored = await restoreRun(method, dir);
  try {
    if (options['decisions'] === undefined) await propose(method, context, { restored, options });
    else await decide(method, context, { restored, options });
  } finally {
    restored.state.dispose();
  }
}

/** Refuses flags that do nothing together, a bad count, and folders that are not there. */
function assertOptions(name: string, options: CliInput['options']): void {
  const verb = `${name} review`;
  const proposing = { count: '--count', by: '--by', page: '--page' };
  const unused = Object.entries(proposing).filter(([key]) => options[key] !== undefined);
  if (options['decisions'] !== undefined && unused.length > 0) {
    const flags = unused.map(([, flag]) => flag).join(', ');
    throw new ConfigError(`${verb}: ${flags} would do nothing beside --decisions.`, {
      help: 'leave them out, or leave out --decisions to write pairs for a review',
    });
  }
  const count = options['count'] as number | undefined;
  if (count !== undefined && count < 1) {
    throw new ConfigError(`${verb}: --count is ${count}.`, { help: 'review at least one pair' });
  }
  for (const key of ['out', 'page', 'refused']) {
    const path = textOption(options, key);
    if (path !== undefined) assertFolder(verb, `--${key}`, path);
  }
  const out = textOption(options, 'out');
  if (options['decisions'] === undefined && out !== undefined && !/\.[ct]sv$/i.test(out)) {
    throw new ConfigError(`${verb}: --out ${out} is no table.`, { help: 'end it in .csv or .tsv' });
  }
}

/** What both halves of the verb work on. */
interface ReviewTask {
  readonly restored: RestoredRun;
  readonly options: CliInput['options'];
}

/** Writes the least sure pairs. */
async function propose(
  method: AlignmentMethod,
  context: CliContext,
  { restored, options }: ReviewTask,
): Promise<void> {
  const { state, run } = restored;
  const file = textOption(options, 'refused');
  const refused = file === undefined ? undefined : await readRefused(file, state.task.data);
  await restoreAcceptedSeeds(run, state);
  context.progress.update('searching unsure pairs');
  const pairs = await unsurePairs(context, { restored, options, refused });
  const out = textOption(options, 'out') ?? 'review.csv';
  const page = textOption(options, 'page');
  await writeReview(out, pairs);
  const command = `${method.name} review --run ${run.dir} --decisions ${out} --out seeds.tsv`;
  if (page !== undefined) writePage(page, pairs, { method, restored, out, command });
  context.progress.done();
  context.printJson({
    run: run.dir,
    status: 'success',
    metrics: null,
    out,
    page: page ?? null,
    pairs: pairs.length,
    refused: (refused?.length ?? 0) / 2,
  });
  context.print(`${formatCounted(pairs.length, 'pair')} to review in ${out}\n`);
  if (page !== undefined) context.print(`to decide them by keys open ${page}\n`);
  context.print(`fill in the column decision (yes, no, or another target), then\n  ${command}\n`);
}

async function unsurePairs(
  context: CliContext,
  { restored, options, refused }: ReviewTask & { readonly refused: Int32Array | undefined },
): Promise<ReviewPair[]> {
  const { state, run } = restored;
  const { signal } = context;
  const encoding = state.learner.encode();
  try {
    const pairs = await pairsToReview(state, encoding, {
      count: (options['count'] as number | undefined) ?? COUNT,
      by: options['by'] as 'confidence' | 'margin' | undefined,
      confidence: readConfidence(run.dir)?.model,
      refused,
      signal,
    });
    if (options['by'] === 'confidence' && pairs.some(({ confidence }) => confidence === null)) {
      context.note('note: there is no confidence to go by; the lowest margins were taken');
    }
    return pairs;
  } finally {
    encoding.dispose();
  }
}

function writePage(
  path: string,
  pairs: readonly ReviewPair[],
  from: {
    readonly method: AlignmentMethod;
    readonly restored: RestoredRun;
    readonly out: string;
    readonly command: string;
  },
): void {
  const { method, restored, out, command } = from;
  const { data, split } = restored.state.task;
  writeReviewPage(path, {
    title: `${formatCounted(pairs.length, 'pair')} to decide`,
    eyebrow: `${method.title}, ${data.name}, ${formatCounted(split.seeds.length / 2, 'seed')}`,
    sentence: 'Of these pairs the model is least sure: is each one the same thing in both graphs?',
    columns: reviewColumns.slice(0, -1),
    fileName: out.slice(Math.max(out.lastIndexOf('/'), out.lastIndexOf('\\')) + 1),
    command,
    questions: pairs.map(reviewQuestion),
  });
}

/** Writes seeds and refused pairs from the decisions; with any defect nothing. */
async function decide(
  method: AlignmentMethod,
  context: CliContext,
  { restored, options }: ReviewTask,
): Promise<void> {
  const { data, split } = restored.state.task;
  const collected = collectDefects();
  const { onDefect } = collected;
  const decisions = await readDecisions(textOption(options, 'decisions')!, {
    data,
    split,
    onDefect,
  });
  if (collected.count > 0) {
    context.progress.done();
    context.print(`${defectList(collected, context.width)}\n`);
    throw defectsError(collected);
  }
  const out = textOption(options, 'out') ?? 'seeds.tsv';
  assertNoDataFile(method.name, restored, out);
  const file = textOption(options, 'refused') ?? join(dirname(out), 'refused.tsv');
  const before = existsSync(file) ? await readRefused(file, data) : new Int32Array(0);
  const seeds = reviewedSeeds(split, decisions);
  const refused = allRefused(before, decisions);
  writeSeeds(out, data, seeds);
  if (refused.length > 0 || before.length > 0) writeRefused(file, data, refused);
  context.progress.done();
  tellDecided(context, {
    restored,
    next: `${trainAgainText(method.name, restored)} --seeds ${out}`,
    out,
    refusedFile: refused.length > 0 ? file : null,
    counts: {
      confirmed: decisions.confirmed.length / 2,
      refused: decisions.refused.length / 2,
      undecided: decisions.undecided,
      seeds: seeds.length / 2,
      allRefused: refused.length / 2,
    },
  });
}

/** Refuses to write over what the run was trained on: it could not be used any more. */
function assertNoDataFile(name: string, { run, state }: RestoredRun, out: string): void {
  if (!state.task.data.files.some(({ path }) => resolve(path) === resolve(out))) return;
  throw new ConfigError(`${name} review: ${run.dir} was trained on ${out}.`, {
    help: 'give another file for the seeds: --out FILE',
  });
}

/** What was made of the decisions. */
interface Decided {
  readonly restored: RestoredRun;
  readonly out: string;
  /** Null when no pair is refused. */
  readonly refusedFile: string | null;
  /** The command to go on with. */
  readonly next: string;
  readonly counts: Readonly<
    Record<'confirmed' | 'refused' | 'undecided' | 'seeds' | 'allRefused', number>
  >;
}

function tellDecided(context: CliContext, decided: Decided): void {
  const { restored, out, refusedFile, next, counts } = decided;
  const { origin: seedOrigin } = restored.state.task.split;
  if (isAutomatic(seedOrigin)) {
    context.note(`note: the run's own seeds are ${seedOrigin}; ${out} holds them as well`);
  }
  const run = restored.run.dir;
  const files = { out, refusedFile, seedOrigin };
  context.printJson({ run, status: 'success', metrics: null, ...files, ...counts });
  context.print(
    `${formatCounted(counts.confirmed, 'pair')} confirmed, ` +
      `${formatCount(counts.refused)} refused, ${formatCount(counts.undecided)} undecided\n` +
      `${formatCounted(counts.seeds, 'seed')} in ${out}\n`,
  );
  if (refusedFile !== null) {
    const pairs = formatCounted(counts.allRefused, 'refused pair');
    context.print(`${pairs} in ${refusedFile}: give it to the next review\n`);
  }
  context.print(`next: ${next}\n`);
}
