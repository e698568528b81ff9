/**
 * What a collection will take, before it begins.
 */
import {
  type BatchShape,
  estimateRun,
  type LoadModelOptions,
  type Model,
  operationsOf,
} from '@lab/transformer';
import { unitStarts } from './collect.js';
import type { Config } from './config.js';
import { batchShapes, type EncodedPrompt, rowStarts } from './hidden-states.js';
import { statePlaces, stateWidth } from './state-places.js';

/** What a collection will take. */
export interface CollectionPlan {
  readonly prompts: number;
  /** Tokens of all prompts, and with what fills batches up. */
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly longestTokens: number;
  /** S and D, and rows of each state. */
  readonly states: number;
  readonly width: number;
  readonly rows: number;
  /** Of the states on disk. */
  readonly diskBytes: number;
  readonly residency: Model['residency'];
  readonly loadSeconds: number;
  readonly runSeconds: number;
  readonly operations: number;
  readonly peakBytes: number;
  /** From the files of weights. */
  readonly readBytes: number;
}

/** What {@link planCollection} reads. */
export interface PlanOptions {
  readonly modelPath: string;
  readonly architecture: Model['architecture'];
  readonly prompts: readonly EncodedPrompt[];
  readonly config: Config;
  readonly load?: LoadModelOptions | undefined;
}

/**
 * Expected time, memory and disk of a collection, two blocks of the model measured.
 *
 * @throws {ModelError} as `loadModel`.
 */
export async function planCollection(options: PlanOptions): Promise<CollectionPlan> {
  const { architecture, prompts, config } = options;
  const { site, isNormed, positions } = config.states;
  const { unit, residency, passes, batches } = await measuredUnit(options);
  const operations = operationsIn(architecture, batches);
  const times = operations / Math.max(1, unit.operations);
  const rows = rowStarts(prompts, positions).at(-1)!;
  const states = statePlaces(architecture, { site, isNormed }).length;
  const width = stateWidth(architecture, site);
  const lengths = prompts.map(({ ids }) => ids.length);
  return {
    ...{ prompts: prompts.length, states, width, rows, residency, operations },
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    paddedTokens: batches.reduce((sum, { batchSize, length }) => sum + batchSize * length, 0),
    longestTokens: lengths.reduce((most, length) => Math.max(most, length), 0),
    diskBytes: 4 * states * rows * width,
    loadSeconds: unit.loadSeconds,
    runSeconds: unit.runSeconds * times,
    peakBytes: unit.peakBytes,
    readBytes: unit.readBytes * passes,
  };
}

const operationsIn = (architecture: Model['architecture'], batches: readonly BatchShape[]) =>
  batches.reduce((sum, shape) => sum + operationsOf(architecture, shape, 'none'), 0);

/** The first unit of prompts, measured: with resident weights, and else as large as it then is. */
async function measuredUnit(options: PlanOptions) {
  const { modelPath, architecture, prompts, config, load = {} } = options;
  const { unitPrompts, batchTokens } = config.states;
  const { residency: asked, budgetBytes } = load;
  const unitsOf = (residency: Model['residency']) => {
    const starts = unitStarts(prompts, { unitPrompts, model: { architecture, residency } });
    return starts.slice(0, -1).map((start, at) => {
      const own = prompts.slice(start, starts[at + 1]);
      return batchShapes({ architecture }, own, batchTokens);
    });
  };
  const measure = (batches: readonly BatchShape[]) =>
    estimateRun(modelPath, {
      ...{ residency: asked, budgetBytes, batches, logits: 'none', order: 'blocks' },
    });
  const small = unitsOf('resident');
  const first = await measure(small[0]!);
  const { residency } = first;
  const isResident = residency === 'resident';
  const units = isResident ? small : unitsOf(residency);
  return {
    residency,
    unit: isResident ? first : await measure(units[0]!),
    // Of each unit the weights are read again, unless they stay on the backend.
    passes: isResident ? 1 : units.length,
    batches: units.flat(),
  };
}
