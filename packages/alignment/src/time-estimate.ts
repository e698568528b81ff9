/**
 * How long a training will take on this machine, measured on a part of the user's own graphs.
 */
import { checkOptions, createRandom, type Random } from '@lab/core';
import { callSchemas } from './call-fields.js';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import { candidateSides, evaluateEncoding } from './evaluate.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { reducedTask } from './reduced-task.js';
import { usesIndex } from './search/search.js';

/** Seconds that a training is expected to take. */
export interface TimeExpectation {
  /** One epoch. */
  readonly epochSeconds: number;
  /** One evaluation on test and validation pairs. */
  readonly evaluationSeconds: number;
  /** All epochs with their evaluations; reading and report apart. */
  readonly trainingSeconds: number;
  /** Entities that were measured on; all of them, or a part from which the rest follows. */
  readonly measuredEntities: number;
}

/** How a calibration is made. */
export interface CalibrationOptions {
  /** Seconds that it may take, about; default 10. */
  readonly budgetSeconds?: number | undefined;
  /** Seconds of a clock that only moves forward; default `performance.now() / 1000`. */
  readonly now?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was measured on a task. */
interface Measured {
  readonly stepSeconds: number;
  readonly encodeSeconds: number;
  readonly rankSeconds: number;
}

/** Entities of each graph in the parts that are measured one after the other. */
const PARTS = [1000, 2500, 5000, 10_000, 20_000, 40_000] as const;

/** What is measured on a part, as a multiple of its steps, encoding and ranking. */
const OVERHEAD = 1.3;

/** A part of the graphs and what was measured on it. */
interface Point extends Measured {
  readonly task: AlignmentTask;
}

/**
 * Expected time of a training with these settings.
 *
 * Two steps are taken on growing parts of the graphs while they fit the budget, on the whole in the
 * end where that fits, too; the second step counts, as the first also prepares. Else the whole
 * follows from the last two parts: a step costs `a rows + b pairs`. Rows are entities and ends of
 * triples; pairs are the squares of the seed batches.
 *
 * @param task - with at least two seed pairs.
 */
export async function expectedTime<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  { config: given, ...options }: CalibrationOptions & { readonly config: C },
): Promise<TimeExpectation> {
  const asked = { config: given, ...options };
  checkOptions(`${method.name}/expectedTime`, asked, callSchemas.calibration);
  const config = await settled(method, task, given);
  const { budgetSeconds = 10, now = () => performance.now() / 1000, signal } = options;
  const began = now();
  const points: Point[] = [];
  for (const perSide of [...PARTS, Number.POSITIVE_INFINITY]) {
    const part = reducedTask(task, perSide);
    if (points.length > 0) {
      const { stepSeconds, encodeSeconds, rankSeconds } = extrapolated(points, part, config);
      const needed = OVERHEAD * (2 * stepSeconds + encodeSeconds + rankSeconds);
      if (needed > budgetSeconds - (now() - began)) break;
    }
    signal?.throwIfAborted();
    points.push({ task: part, ...(await measureTask(method, part, { config, now })) });
    if (part === task) break;
  }
  const last = points.at(-1)!;
  const whole = last.task === task ? last : extrapolated(points, task, config);
  return expectation(whole, task, { config, measured: last.task });
}

/** The settings as they are for the whole, whatever part is measured. */
async function settled<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  given: C,
): Promise<C> {
  const config = method.settle?.(task, given) ?? given;
  const { candidates, search } = config.evaluation;
  const sides = candidateSides(task.data, evaluatedPairs(task), candidates);
  const isIndexed = await usesIndex(sides, search);
  const evaluation = { ...config.evaluation, search: isIndexed ? 'approximate' : 'exact' };
  return { ...config, evaluation };
}

/** Two steps, an encoding and an evaluation. */
async function measureTask<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  { config, now }: { readonly config: C; readonly now: () => number },
): Promise<Measured> {
  const random = createRandom(config.seed).fork('calibration');
  const learner = method.createLearner(task, config, random);
  const timed = async (work: () => Promise<unknown>) => {
    const start = now();
    await work();
    return now() - start;
  };
  const step = (epoch: number, stream: Random) =>
    learner.step({ epoch, seeds: task.split.seeds, random: stream });
  try {
    await step(0, random.fork('0'));
    const stepSeconds = await timed(() => step(1, random.fork('1')));
    const start = now();
    const encoding = learner.encode();
    try {
      const encodeSeconds = now() - start;
      const pairs = evaluatedPairs(task);
      const input = { pairs, random: random.fork('ranks') };
      const rankSeconds =
        pairs.length < 4
          ? 0
          : await timed(() => evaluateEncoding({ config, task, learner }, encoding, input));
      return { stepSeconds, encodeSeconds, rankSeconds };
    } finally {
      encoding.dispose();
    }
  } finally {
    learner.dispose();
  }
}

/** Pairs whose ranking is timed: the test pairs, else those of validation. */
function evaluatedPairs({ split }: AlignmentTask): Int32Array {
  return split.test.length > 0 ? split.test : split.validation;
}

/** Entities and ends of triples: what all but the losses grow with. */
function rowsOf({ data }: AlignmentTask): number {
  return data.entityCount + 2 * data.triples.heads.length;
}

/** Squares of the seed batches: what the losses grow with. */
function pairsOf({ split }: AlignmentTask, { training }: AlignmentConfig): number {
  const seeds = split.seeds.length / 2;
  const whole = Math.floor(seeds / training.batchSize);
  return whole * training.batchSize ** 2 + (seeds - whole * training.batchSize) ** 2;
}

/** What an evaluation grows with: cells of the similarities, or rows of an index. */
function cellsOf(task: AlignmentTask, { evaluation }: AlignmentConfig, pairs: Int32Array): number {
  const { left, right } = task.data;
  if (evaluation.search === 'approximate') {
    return evaluation.candidates === 'all' ? left.length + right.length : pairs.length;
  }
  return evaluation.candidates === 'all' ? left.length * right.length : (pairs.length / 2) ** 2;
}

/** What a larger part takes, from the last two that were measured, or the only one. */
function extrapolated(
  points: readonly Point[],
  task: AlignmentTask,
  config: AlignmentConfig,
): Measured {
  const last = points.at(-1)!;
  const before = points.at(-2) ?? null;
  const sizes = (of: AlignmentTask) => ({ rows: rowsOf(of), pairs: pairsOf(of, config) });
  const [large, whole] = [sizes(last.task), sizes(task)];
  const cells = (of: AlignmentTask) => Math.max(1, cellsOf(of, config, evaluatedPairs(of)));
  const rates =
    before === null
      ? { perRow: last.stepSeconds / large.rows, perPair: 0 }
      : ratesOf(
          { ...large, seconds: last.stepSeconds },
          {
            ...sizes(before.task),
            seconds: before.stepSeconds,
          },
        );
  return {
    stepSeconds: rates.perRow * whole.rows + rates.perPair * whole.pairs,
    encodeSeconds: (last.encodeSeconds * whole.rows) / large.rows,
    rankSeconds: (last.rankSeconds * cells(task)) / cells(last.task),
  };
}

/** Sizes of a part, and the seconds of its step. */
interface Sizes {
  readonly rows: number;
  readonly pairs: number;
  readonly seconds: number;
}

/** a and b of `a rows + b pairs` through two points, neither below 0. */
function ratesOf(large: Sizes, small: Sizes): { perRow: number; perPair: number } {
  const determinant = large.rows * small.pairs - small.rows * large.pairs;
  const perPair = (large.rows * small.seconds - small.rows * large.seconds) / determinant;
  if (!(perPair > 0)) return { perRow: large.seconds / large.rows, perPair: 0 };
  const perRow = (large.seconds - perPair * large.pairs) / large.rows;
  if (perRow >= 0) return { perRow, perPair };
  return { perRow: 0, perPair: large.seconds / large.pairs };
}

/** The whole training from what a step and an evaluation take. */
function expectation(
  { stepSeconds, encodeSeconds, rankSeconds }: Measured,
  task: AlignmentTask,
  { config, measured }: { readonly config: AlignmentConfig; readonly measured: AlignmentTask },
): TimeExpectation {
  const { epochs } = config.training;
  const { every, enabled } = config.evaluation;
  const cells = (pairs: Int32Array) => cellsOf(task, config, pairs);
  const { test, validation } = task.split;
  const ranked = Math.max(1, cells(evaluatedPairs(task)));
  const both = (cells(test) + cells(validation)) / ranked;
  const evaluationSeconds = encodeSeconds + rankSeconds * both;
  const evaluations = enabled ? Math.ceil(epochs / every) : 0;
  return {
    epochSeconds: stepSeconds,
    evaluationSeconds,
    trainingSeconds: epochs * stepSeconds + evaluations * evaluationSeconds,
    measuredEntities: measured.data.entityCount,
  };
}
