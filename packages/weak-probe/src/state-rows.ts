/**
 * Rows of states that stand in the host's memory.
 */
import { ShapeError } from '@lab/core';
import type { Model } from '@lab/transformer';
import { type EncodedPrompt, promptStates } from './hidden-states.js';
import type { StateSite, StateStore } from './state-store.js';
import { assertState } from './state-store.js';

/** A row of each of N prompts at each state: what lenses and grafts read; any store has it. */
export type StateRows = Pick<StateStore, 'readState' | 'rowCount' | 'stateCount' | 'width'>;

/** What every long call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with how much is done, of how much. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/** How {@link lastTokenStates} reads. */
export interface LastTokenOptions extends Pick<CallOptions, 'signal'> {
  /** Default `residual`. */
  readonly site?: StateSite | undefined;
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/**
 * States of the last token of each prompt, all in memory: for few prompts, and for changed passes.
 * A set that is large or read often belongs into a store.
 *
 * @throws {DataError} for values that are not finite.
 */
export async function lastTokenStates(
  model: Model,
  prompts: readonly EncodedPrompt[],
  { site = 'residual', batchTokens, signal }: LastTokenOptions = {},
): Promise<StateRows> {
  const states: Float32Array[] = [];
  const options = { site, positions: 'last', batchTokens, signal } as const;
  for await (const { state, rows } of promptStates(model, prompts, options)) states[state] = rows;
  return stateRows(states, prompts.length);
}

/** States that are in memory already, each `[N, D]`. */
export function stateRows(states: readonly Float32Array[], rowCount: number): StateRows {
  return {
    ...{ stateCount: states.length, width: states[0]!.length / rowCount, rowCount },
    readState: async (state) => {
      assertState(state, states.length);
      return states[state]!;
    },
  };
}

/** Some rows of states, in the order of their numbers; the last state asked for is kept. */
export function pickedRows(rows: StateRows, picked: readonly number[]): StateRows {
  const { width, stateCount } = rows;
  let last: { readonly state: number; readonly own: Float32Array } | null = null;
  return {
    ...{ stateCount, width, rowCount: picked.length },
    readState: async (state) => {
      if (last?.state === state) return last.own;
      const all = await rows.readState(state);
      const own = new Float32Array(picked.length * width);
      for (const [at, row] of picked.entries()) own.set(rowOf(all, row, width), at * width);
      last = { state, own };
      return own;
    },
  };
}

/** One row, a view. */
export const rowOf = (rows: Float32Array, row: number, width: number): Float32Array =>
  rows.subarray(row * width, (row + 1) * width);

/**
 * Refuses states that another kind of model has.
 *
 * @throws {ShapeError} where width or number of the states differ.
 */
export function assertOfModel(
  { architecture }: Pick<Model, 'architecture'>,
  { width, stateCount }: StateRows,
  asker: string,
): void {
  const [wanted, states] = [architecture.width, architecture.layerCount + 1];
  if (width === wanted && stateCount === states) return;
  const [expected, got] = [`${states} of width ${wanted}`, `${stateCount} of width ${width}`];
  throw new ShapeError(`${asker}: the states are ${got}, the model has ${expected}.`, {
    ...{ expected, got, help: 'Take residual states that were collected from this model.' },
  });
}
