/**
 * How long a training will take on this machine, measured on a part of the user's own graphs.
 */
import { createRandom, type Random } from '@lab/core';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import { evaluateEncoding } from './evaluate.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { reducedTask } from './reduced-task.js';

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

/** Entities of each graph in the smaller and in the larger part. */
const PARTS = [1000, 2500] as const;

/**
 * Expected time of a training with these settings.
 *
 * Two steps are taken on the whole where they fit the budget, else on two parts of the graphs with
 * all and with a quarter of their seeds; a step then costs `a rows + b pairs`, rows the entities
 * and
 * the ends of their triples, pairs the squares of the batches. The second step counts: the first
 * also prepares.
 *
 * @param task - with at least two seed pairs.
 */
export async function expectedTime<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  { config, ...options }: CalibrationOptions & { readonly config: C },
): Promise<TimeExpectation> {
  const { budgetSeconds = 10, now = () => performance.now() / 1000, signal } = options;
  const measure = async (part: AlignmentTask) => {
    signal?.throwIfAborted();
    return measureTask(method, part, { config, now });
  };
  const began = now();
  const small = reducedTask(task, PARTS[0]);
  const first = await measure(small);
  if (small === task) return expectation(first, task, { config, measured: task });
  const growth =
    rowsOf(task) / rowsOf(small) + pairsOf(task, config) / Math.max(1, pairsOf(small, config));
  const left = budgetSeconds - (now() - began);
  if (4 * first.stepSeconds * growth < left) {
    return expectation(await measure(task), task, { config, measured: task });
  }
  const large = reducedTask(task, PARTS[1]);
  const second = await measure(large);
  const fewer = await measure(withFewerSeeds(large));
  const whole = extrapolated({ second, fewer }, { task, large, config });
  return expectation(whole, task, { config, measured: large });
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
          : await timed(() => evaluateEncoding({ config, task }, encoding, input));
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

/** A quarter of the seed pairs, two at least. */
function withFewerSeeds(task: AlignmentTask): AlignmentTask {
  const count = Math.max(2, Math.floor(task.split.seeds.length / 8));
  return { ...task, split: { ...task.split, seeds: task.split.seeds.slice(0, 2 * count) } };
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

/** Cells of the similarities of an evaluation. */
function cellsOf(task: AlignmentTask, { evaluation }: AlignmentConfig, pairs: Int32Array): number {
  const { left, right } = task.data;
  return evaluation.candidates === 'all' ? left.length * right.length : (pairs.length / 2) ** 2;
}

/** The whole from a part with all and with a quarter of its seeds. */
function extrapolated(
  { second, fewer }: { readonly second: Measured; readonly fewer: Measured },
  tasks: {
    readonly task: AlignmentTask;
    readonly large: AlignmentTask;
    readonly config: AlignmentConfig;
  },
): Measured {
  const { task, large, config } = tasks;
  const few = pairsOf(withFewerSeeds(large), config);
  const many = pairsOf(large, config);
  const perPair = Math.max(0, (second.stepSeconds - fewer.stepSeconds) / Math.max(1, many - few));
  const perRow = Math.max(0, second.stepSeconds - perPair * many) / rowsOf(large);
  const cells = cellsOf(large, config, evaluatedPairs(large));
  const perCell = second.rankSeconds / Math.max(1, cells);
  return {
    stepSeconds: perRow * rowsOf(task) + perPair * pairsOf(task, config),
    encodeSeconds: (second.encodeSeconds * rowsOf(task)) / rowsOf(large),
    rankSeconds: perCell * cellsOf(task, config, evaluatedPairs(task)),
  };
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
