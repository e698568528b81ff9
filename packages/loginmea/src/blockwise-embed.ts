/**
 * Final embeddings of a model in the host's memory, block by block.
 */
import { type Neighbourhood, neighbourhood } from '@lab/graph';
import { HostRows, tf } from '@lab/tensor';
import {
  type BlockOptions,
  budgetOf,
  computeWork,
  createClock,
  forwardStage,
  readsNothing,
} from './block-passes.js';
import {
  type BlockWork,
  earlyStage,
  localStage,
  meanStage,
  reflectionStage,
  type Stage,
  type StageContext,
} from './block-stages.js';
import type { BlockwiseModel } from './blockwise-model.js';
import { createStates } from './blockwise-states.js';
import { entitiesOf } from './host-inputs.js';
import { proxyMatching, proxyParameters } from './proxy-matching.js';

/** Final embeddings of some entities. */
export interface EmbeddedBlock {
  /** Place of the first one among the entities asked for. */
  readonly start: number;
  /** The entities of the rows, `[B]`. */
  readonly entities: Int32Array;
  /** Row-major `[B, model.width]`, as `LoginmeaModel.embed`: the rows have no unit length. */
  readonly rows: Float32Array;
}

/**
 * Final embeddings of the given entities, or of all, in their order: the rows of
 * `LoginmeaModel.embed` with as many bytes of tensors as `budgetBytes` says.
 *
 * In the host's memory, for n entities that the given ones receive from: `2 L n D` floats of states
 * and one block of rows.
 *
 * @param options - `entities`: distinct; default all. Budget, signal and progress.
 * @throws {DataError} for an entity that is out of range or occurs twice.
 * @throws {ConfigError} when there is no entity.
 */
export async function* embedBlocks(
  model: BlockwiseModel,
  options: BlockOptions & { readonly entities?: Int32Array } = {},
): AsyncGenerator<EmbeddedBlock, void, undefined> {
  const budgetBytes = budgetOf(options);
  const { layers } = model.settings;
  const targets = entitiesOf(model.inputs.graph, options.entities);
  const near = neighbourhood(model.pairs, targets, { layers });
  const states = createStates(model, near, { layers: layers - 1, withEarly: false });
  const context = { model, near, states, budgetBytes };
  const stages = [meanStage(context), localStage(context)];
  for (let layer = 1; layer < layers; layer += 1) stages.push(reflectionStage(context, layer));
  const last = reflectionStage(context, layers);
  const total = stages.reduce((sum, { count }) => sum + count, 0) + last.count;
  const clock = createClock(options, total);
  for (const stage of stages) await forwardStage(stage, clock);
  for (let index = 0; index < last.count; index += 1) {
    yield finalBlock(context, last, index);
    await clock.tick();
  }
}

/** The rows of one block of the last layer, with all that stands beside them in an embedding. */
function finalBlock(context: StageContext, last: Stage, index: number): EmbeddedBlock {
  const { model, states, near } = context;
  const block = last.at(index);
  try {
    const local = block.rows; // one after the other, as all blocks of pairs
    const entities = local.map((row) => near.entities[row]!);
    const fromStart = local.map((_, i) => i);
    const rows = new Float32Array(entities.length * model.width);
    let offset = 0;
    const add = (from: HostRows, which: Int32Array): void => {
      from.copyRows(which, rows, { offset, stride: model.width });
      offset += from.columnCount;
    };
    for (const [place, encoder] of model.encoders.entries()) {
      const isJoint = encoder === 'joint';
      if (isJoint) add(earlyRows(context, entities), fromStart);
      const before = states.encoders[encoder]!;
      for (const state of isJoint ? before.slice(1) : before) add(state, local);
      add(resultOf(block.works[place]!, fromStart, model.settings.size), fromStart);
    }
    if (!model.encoders.includes('joint')) add(earlyRows(context, entities), fromStart);
    matchProxies(context, rows);
    return { start: local[0]!, entities, rows };
  } finally {
    block.dispose();
  }
}

/** Puts the rows through the proxies of the model, in blocks, if it has any. */
function matchProxies({ model, budgetBytes }: StageContext, rows: Float32Array): void {
  const { width, parameters, settings } = model;
  if (settings.proxies === 0) return;
  const blockRows = Math.max(1, Math.floor(budgetBytes / (40 * width)));
  for (let at = 0; at < rows.length; at += blockRows * width) {
    const part = rows.subarray(at, at + blockRows * width);
    const matched = tf.tidy(() => {
      const given = tf.tensor2d(part, [part.length / width, width]);
      return proxyMatching(given, proxyParameters(parameters));
    });
    part.set(matched.dataSync());
    matched.dispose();
  }
}

/** The rows of some work in the host's memory. */
function resultOf(work: BlockWork, fromStart: Int32Array, columnCount: number): HostRows {
  const result = new HostRows(fromStart.length, columnCount);
  if (readsNothing(work)) return result;
  const rows = computeWork(work);
  result.write(fromStart, rows);
  rows.dispose();
  return result;
}

/** tanh(g) of some entities. */
function earlyRows(context: StageContext, entities: Int32Array): HostRows {
  const { modalities, settings } = context.model;
  const early = new HostRows(entities.length, modalities.length * settings.size);
  const near: Neighbourhood = { entities, rowCounts: [entities.length], layers: [] };
  const stage = earlyStage({ ...context, near, states: { encoders: {}, early } });
  for (let index = 0; index < stage.count; index += 1) {
    const block = stage.at(index);
    try {
      for (const work of block.works) {
        const rows = computeWork(work);
        early.write(block.rows, rows);
        rows.dispose();
      }
    } finally {
      block.dispose();
    }
  }
  return early;
}
