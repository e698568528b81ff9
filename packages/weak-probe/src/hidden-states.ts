/**
 * Hidden states of prompts, copied out of a model state by state.
 */
import { DataError } from '@lab/core';
import { tf } from '@lab/tensor';
import {
  type BatchShape,
  type Captured,
  lengthBatches,
  type Model,
  passRules,
} from '@lab/transformer';
import { type SiteOptions, type StatePlace, statePlaces } from './state-places.js';
import type { StatePositions } from './state-store.js';

/** A prompt as token ids. */
export interface EncodedPrompt {
  /** Names it in errors. */
  readonly id: string;
  readonly ids: readonly number[];
  /** Place of the prompt's own last token, before a format goes on; default the last of all. */
  readonly promptEnd?: number | undefined;
}

/** What is copied; see {@link promptStates}. */
export interface PromptStatesOptions extends SiteOptions {
  readonly positions: StatePositions;
  /** Tokens that go through a block together, padding in them; default 4096. */
  readonly batchTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of one state. */
export interface PromptStates {
  readonly state: number;
  /** `[N, D]`, prompts in their order; with positions `tokens`, their tokens in turn. */
  readonly rows: Float32Array;
}

/**
 * States of prompts, one state after the other: rows of `u_l` at the positions asked for.
 *
 * Prompts of about the same length go through the model together, filled up on the left; rows are
 * those of single passes. With resident weights and one token of each prompt wanted, a batch goes
 * through all blocks and only that token is copied. Otherwise each block is applied to all batches
 * in turn, so that its weights are read once; the residuals are in the host's memory between
 * blocks.
 *
 * @throws {DataError} for values that are not finite, naming prompt and state.
 */
export async function* promptStates(
  model: Model,
  prompts: readonly EncodedPrompt[],
  options: PromptStatesOptions,
): AsyncGenerator<PromptStates> {
  const { architecture } = model;
  const places = statePlaces(architecture, options);
  // Blocks that are applied to all batches in turn are read once, however many batches there are.
  const batches = promptBatches({ architecture }, prompts, options.batchTokens ?? 4096);
  const isWhole = model.residency === 'resident' && options.positions === 'last';
  const job = { model, prompts, batches, places, options };
  const states = isWhole ? wholePasses(job) : blockByBlock(job);
  for await (const { state, rows } of states) {
    assertFinite(rows, { state, prompts, positions: options.positions });
    yield { state, rows };
  }
}

/** Prompts that go through a model together. */
export interface PromptBatch {
  /** Places of its prompts among those given. */
  readonly members: readonly number[];
  readonly ids: Int32Array[];
  readonly mask: Uint8Array[];
}

interface Job {
  readonly model: Model;
  readonly prompts: readonly EncodedPrompt[];
  readonly batches: readonly PromptBatch[];
  readonly places: readonly StatePlace[];
  readonly options: PromptStatesOptions;
}

/** Sizes of the batches that prompts go through a model in. */
export const batchShapes = (
  model: Pick<Model, 'architecture'>,
  prompts: readonly EncodedPrompt[],
  batchTokens: number,
): BatchShape[] =>
  promptBatches(model, prompts, batchTokens).map(({ ids }) => ({
    batchSize: ids.length,
    length: ids[0]!.length,
  }));

/**
 * Prompts of like length together, filled up on the left.
 *
 * @param model - with its residency where each batch goes through all blocks: batches are as few as
 *   may be where each of them reads the weights anew.
 */
export function promptBatches(
  { architecture, residency = 'resident' }: BatchedModel,
  prompts: readonly EncodedPrompt[],
  most: number,
): PromptBatch[] {
  const texts = prompts.map(({ ids }) => ids);
  const rules = passRules({ architecture, residency }, most);
  return lengthBatches(texts, rules).map(({ places, ids, mask }) => {
    return { members: places, ids, mask };
  });
}

/** What of a model says how prompts go together. */
type BatchedModel = Pick<Model, 'architecture'> & Partial<Pick<Model, 'residency'>>;

/** A pass of each batch through all blocks; the last token alone is copied. */
async function* wholePasses({ model, prompts, batches, places, options }: Job) {
  const names = new Map(places.map(({ name }, state) => [name, state]));
  const states: Float32Array[] = [];
  for (const { members, ids, mask } of batches) {
    const result = await model.forward({
      ...{ ids, mask, logits: 'none', signal: options.signal },
      ...{ capture: (name: string) => names.has(name), capturePositions: 'last' },
    });
    result.dispose();
    for (const [name, state] of names) {
      const { data } = result.captured.get(name)!;
      const width = data.length / members.length;
      states[state] ??= new Float32Array(prompts.length * width);
      for (const [row, at] of members.entries()) {
        states[state].set(data.subarray(row * width, (row + 1) * width), at * width);
      }
    }
  }
  for (const [state, rows] of states.entries()) yield { state, rows };
}

/** Each block over all batches, and what its places show. */
async function* blockByBlock({ model, prompts, batches, places, options }: Job) {
  const { layerCount } = model.architecture;
  const starts = rowStarts(prompts, options.positions);
  const residuals: (Captured | undefined)[] = batches.map(() => undefined);
  for (let block = 0; block < layerCount; block += 1) {
    const own = [...places.entries()].filter(([, place]) => place.block === block);
    const states = new Map<number, Float32Array>();
    for (const [at, batch] of batches.entries()) {
      const { residual, captured } = await blockPass(
        { model, block, names: new Set(own.map(([, { name }]) => name)), options },
        { batch, before: residuals[at] },
      );
      residuals[at] = residual;
      for (const [state, { name }] of own) {
        const pooled = pooledRows(captured.get(name)!, { batch, prompts, options });
        const rows = states.get(state) ?? new Float32Array(starts.at(-1)! * pooled.width);
        states.set(state, rows);
        for (const [row, member] of batch.members.entries()) {
          rows.set(pooled.rows[row]!, starts[member]! * pooled.width);
        }
      }
    }
    for (const [state, rows] of states) yield { state, rows };
  }
}

interface BlockStep {
  readonly model: Model;
  readonly block: number;
  readonly names: ReadonlySet<string>;
  readonly options: PromptStatesOptions;
}

/** One block on one batch: what comes out, and what its places show. */
async function blockPass(
  { model, block, names, options }: BlockStep,
  { batch, before }: { readonly batch: PromptBatch; readonly before: Captured | undefined },
) {
  const shape = before?.shape as [number, number, number];
  const residual = before === undefined ? undefined : tf.tensor3d(before.data, shape);
  const isLast = options.positions === 'last';
  try {
    const result = await model.forward({
      ...{ ids: batch.ids, mask: batch.mask, residual, logits: 'none', signal: options.signal },
      ...{ startBlock: block, stopBlock: block + 1 },
      ...{ capture: (name: string) => names.has(name), capturePositions: isLast ? 'last' : 'all' },
    });
    const data = (await result.residual.data()) as Float32Array;
    // Of other backends it may be the tensor's own memory.
    const after = { shape: result.residual.shape, data: data.slice() };
    result.dispose();
    return { residual: after, captured: result.captured };
  } finally {
    residual?.dispose();
  }
}

interface Pooling {
  readonly batch: PromptBatch;
  readonly prompts: readonly EncodedPrompt[];
  readonly options: PromptStatesOptions;
}

/** What is kept of each prompt of a batch: `[1, D]`, or `[T, D]` of all its tokens. */
function pooledRows({ shape, data }: Captured, { batch, prompts, options }: Pooling) {
  const [count, length] = shape as [number, number];
  const width = data.length / (count * length);
  const rowAt = (row: number, token: number) =>
    data.subarray((row * length + token) * width, (row * length + token + 1) * width);
  const rows = batch.members.map((member, row) => {
    const { ids, promptEnd = ids.length - 1 } = prompts[member]!;
    const first = length - ids.length;
    if (options.positions === 'last') return rowAt(row, length - 1);
    if (options.positions === 'prompt-end') return rowAt(row, first + promptEnd);
    if (options.positions === 'tokens') {
      return data.subarray((row * length + first) * width, (row + 1) * length * width);
    }
    const tokens = ids.map((_, token) => rowAt(row, first + token));
    return options.positions === 'mean' ? meanOf(tokens, width) : highestOf(tokens, width);
  });
  return { width, rows };
}

/** Mean of rows, `[D]`. */
export function meanOf(tokens: readonly Float32Array[], width: number): Float32Array {
  const sum = new Float64Array(width);
  for (const token of tokens) for (let d = 0; d < width; d += 1) sum[d]! += token[d]!;
  return Float32Array.from(sum, (value) => value / tokens.length);
}

/** Highest value of each feature, `[D]`. */
export function highestOf(tokens: readonly Float32Array[], width: number): Float32Array {
  const most = new Float32Array(width).fill(Number.NEGATIVE_INFINITY);
  for (const token of tokens) {
    for (let d = 0; d < width; d += 1) if (!(token[d]! <= most[d]!)) most[d] = token[d]!;
  }
  return most;
}

/** Where the rows of each prompt begin, and at the end how many there are. */
export function rowStarts(prompts: readonly EncodedPrompt[], positions: StatePositions): number[] {
  const starts = [0];
  for (const { ids } of prompts) {
    starts.push(starts.at(-1)! + (positions === 'tokens' ? ids.length : 1));
  }
  return starts;
}

interface Checked {
  readonly state: number;
  readonly prompts: readonly EncodedPrompt[];
  readonly positions: StatePositions;
}

function assertFinite(rows: Float32Array, { state, prompts, positions }: Checked): void {
  const at = rows.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const starts = rowStarts(prompts, positions);
  const row = Math.floor((at * starts.at(-1)!) / rows.length);
  const prompt = prompts[starts.findLastIndex((start) => start <= row)];
  throw new DataError(
    `weak-probe/collect: state ${state} of prompt ${prompt?.id ?? row} has the value ${rows[at]}.`,
    {
      help: 'Weights or activations overflow: check the model with "transformer validate".',
      details: { state, prompt: prompt?.id },
    },
  );
}
