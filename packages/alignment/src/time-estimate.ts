/**
 * How long a training will take on this machine, measured on a part of the user's own graphs.
 */
import { checkOptions, createRandom, objectWith, type OptionFields, optionFields } from '@lab/core';
import { quantile } from '@lab/metrics';
import { z } from 'zod';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import { candidateSides, rankSides } from './evaluate.js';
import { type Point, rankingSecondsAt, secondsAt } from './extrapolation.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { reducedTask } from './reduced-task.js';
import { usesIndex, weighsEvidence } from './search/search.js';

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

const calibrationSchema = z.strictObject({
  config: objectWith([], 'must be the settings of the method'),
  budgetSeconds: z.number().gt(0).optional(),
  now: optionFields.callback,
  signal: optionFields.signal,
} satisfies OptionFields<CalibrationOptions & { config: unknown }>);

/** Entities of each graph in the parts that are measured first. */
const FIRST_PARTS = [1000, 2500, 5000] as const;
/** The largest of these that the rest of the budget has room for is measured last. */
const LAST_PARTS = [Number.POSITIVE_INFINITY, 60_000, 40_000, 30_000, 20_000, 15_000, 10_000];

/** What is measured on a part, as a multiple of its steps and encoding. */
const OVERHEAD = 1.3;

/** Share of the calibration that may go into rankings: most of a training are steps. */
const RANKING_SHARE = 0.4;

/** Steps of a part are timed until they took so long, or are so many. */
const ENOUGH = { seconds: 0.4, steps: 4 } as const;

/**
 * One in so many pairs is ranked: a model without training would name hardly any counterpart, and
 * each that is not named is looked for among all. A trained one leaves about so many of them.
 */
const RANKED_PAIRS = 8;

/** What was measured on growing parts. */
interface Measurements {
  /** Of steps: rows, and pairs in batches. */
  readonly steps: Point[];
  /** Of encodings: rows. */
  readonly encodings: Point[];
  /** Of rankings: cells, and lines as such. */
  readonly rankings: Point[];
}

/**
 * Expected time of a training with these settings.
 *
 * Steps are taken on small parts of the graphs and on the largest that the rest of the budget
 * has room for, the whole where that fits; the first of each part does not count, as it also
 * prepares. Else the whole follows from the parts: a step costs `a rows + b pairs`, where rows are
 * entities and triples as such, and pairs are the squares of the seed batches; a ranking grows with
 * its cells.
 *
 * @param task - with at least two seed pairs.
 */
export async function expectedTime<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  { config: given, ...options }: CalibrationOptions & { readonly config: C },
): Promise<TimeExpectation> {
  const asked = { config: given, ...options };
  checkOptions(`${method.name}/expectedTime`, asked, calibrationSchema);
  const config = await settled(method, task, given);
  const { budgetSeconds = 10, now = () => performance.now() / 1000, signal } = options;
  const began = now();
  const measured: Measurements = { steps: [], encodings: [], rankings: [] };
  const foreseen = (of: AlignmentTask) => ({
    step: secondsAt(measured.steps, stepSizes(of, config)),
    encode: secondsAt(measured.encodings, { linear: rowsOf(of), squared: 0 }),
    rank: rankingSecondsAt(measured.rankings, rankingSizes(of, config, evaluatedPairs(of))),
  });
  let last = task;
  const measurePart = async (part: AlignmentTask) => {
    signal?.throwIfAborted();
    // A ranking takes long beside a step, and few seconds of a training: one is enough.
    const { rank } = foreseen(part);
    const isTimely = measured.rankings.length === 0 || part === task;
    const isRanked = isTimely && rank < RANKING_SHARE * (budgetSeconds - (now() - began));
    await measureTask(method, part, { config, now, isRanked, measured });
    last = part;
  };
  const fits = (part: AlignmentTask) => {
    const { step, encode } = foreseen(part);
    return OVERHEAD * (2 * step + encode) <= budgetSeconds - (now() - began);
  };
  for (const perSide of FIRST_PARTS) {
    const part = reducedTask(task, perSide);
    if (measured.steps.length > 0 && !fits(part)) break;
    await measurePart(part);
    if (part === task) break;
  }
  const larger = (perSide: number) => perSide > Math.max(...FIRST_PARTS);
  for (const perSide of last === task ? [] : LAST_PARTS.filter(larger)) {
    const part = reducedTask(task, perSide);
    if (!fits(part)) continue;
    await measurePart(part);
    break;
  }
  return expectation(measured, task, { config, ...foreseen(task), measuredTask: last });
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

/** Some steps, an encoding and, where it is asked for, a ranking. */
async function measureTask<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  {
    config,
    now,
    isRanked,
    measured,
  }: {
    readonly config: C;
    readonly now: () => number;
    readonly isRanked: boolean;
    readonly measured: Measurements;
  },
): Promise<void> {
  const random = createRandom(config.seed).fork('calibration');
  const learner = method.createLearner(task, config, random);
  const timed = async (work: () => unknown) => {
    const start = now();
    await work();
    return now() - start;
  };
  const step = (epoch: number) =>
    learner.step({ epoch, seeds: task.split.seeds, random: random.fork(String(epoch)) });
  try {
    await step(0);
    const steps: number[] = [];
    let spent = 0;
    do {
      steps.push(await timed(() => step(steps.length + 1)));
      spent += steps.at(-1)!;
    } while (spent < ENOUGH.seconds && steps.length < ENOUGH.steps);
    measured.steps.push({
      ...stepSizes(task, config),
      seconds: quantile(
        steps.toSorted((one, other) => one - other),
        0.5,
      ),
    });
    const start = now();
    const encoding = learner.encode();
    try {
      measured.encodings.push({ linear: rowsOf(task), squared: 0, seconds: now() - start });
      const pairs = evaluatedPairs(task);
      if (!isRanked || pairs.length < 4) return;
      const { gold, ...entities } = candidateSides(task.data, pairs, config.evaluation.candidates);
      const sides = { ...entities, gold: gold.map((at, row) => (row % RANKED_PAIRS ? -1 : at)) };
      const input = { sides, random: random.fork('ranks') };
      const seconds = await timed(() => rankSides({ config, task, learner }, encoding, input));
      measured.rankings.push({ ...rankingSizes(task, config, pairs), seconds });
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

/** Triples that cost a step as much as an entity, about: on EN-FR 15K and FB15K-DB15K alike. */
const TRIPLES_OF_ENTITY = 25;
/** Cells that cost a ranking by evidence as much as a compared entity, about, on the same. */
const CELLS_OF_LINE = 8500;

/** Entities, and triples as such: what all but the losses grow with. */
function rowsOf({ data }: AlignmentTask): number {
  return data.entityCount + data.triples.heads.length / TRIPLES_OF_ENTITY;
}

/** Rows, and the squares of the seed batches: what the losses grow with. */
function stepSizes(task: AlignmentTask, { training }: AlignmentConfig) {
  const seeds = task.split.seeds.length / 2;
  const whole = Math.floor(seeds / training.batchSize);
  const pairs = whole * training.batchSize ** 2 + (seeds - whole * training.batchSize) ** 2;
  return { linear: rowsOf(task), squared: pairs };
}

/** Compared entities of both sides, and cells of their similarities where no index is searched. */
function rankingSizes(task: AlignmentTask, { evaluation }: AlignmentConfig, pairs: Int32Array) {
  const { left, right } = task.data;
  const isAll = evaluation.candidates === 'all';
  const [rows, columns] = isAll
    ? [left.length, right.length]
    : [pairs.length / 2, pairs.length / 2];
  const lines = rows + columns;
  if (evaluation.search === 'approximate') return { linear: lines, squared: 0 };
  const cells = rows * columns;
  // One size of both, as small parts do not show how much of their time is the cells'.
  const isWeighed = weighsEvidence(
    { left: { length: rows }, right: { length: columns } },
    evaluation,
  );
  return { linear: cells + (isWeighed ? CELLS_OF_LINE * lines : 0), squared: 0 };
}

/** The whole training from what a step and an evaluation take. */
function expectation(
  { rankings }: Measurements,
  task: AlignmentTask,
  {
    config,
    step,
    encode,
    measuredTask,
  }: {
    readonly config: AlignmentConfig;
    readonly step: number;
    readonly encode: number;
    readonly measuredTask: AlignmentTask;
  },
): TimeExpectation {
  const { epochs } = config.training;
  const { every, enabled } = config.evaluation;
  const { test, validation } = task.split;
  const rank = (pairs: Int32Array) =>
    pairs.length === 0 ? 0 : rankingSecondsAt(rankings, rankingSizes(task, config, pairs));
  const evaluationSeconds = encode + rank(test) + rank(validation);
  const evaluations = enabled ? Math.ceil(epochs / every) : 0;
  return {
    epochSeconds: step,
    evaluationSeconds,
    trainingSeconds: epochs * step + evaluations * evaluationSeconds,
    measuredEntities: measuredTask.data.entityCount,
  };
}
