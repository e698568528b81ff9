/**
 * What the lens shows of a collection, class by class.
 */
import { createRandom } from '@lab/core';
import { mean, quantile } from '@lab/metrics';
import type { Model, Tokenizer } from '@lab/transformer';
import type { Config } from './config.js';
import { type Consistency, middleStates, topKConsistency } from './consistency.js';
import { type LensOptions, lensStates, type StateLens } from './lens.js';
import { patchscopeStates } from './patchscope.js';
import { openRecordFile } from './record-file.js';
import type { CallOptions, StateRows } from './state-rows.js';
import { type TokenKinds } from './token-kinds.js';
import { tokenNamer } from './token-text.js';
import { type TokenTable, tokenTable } from './token-table.js';

/** A token that is followed through the states. */
export interface TokenPath {
  readonly id: number;
  readonly text: string;
  /** Of each state, over prompts. */
  readonly states: readonly {
    readonly state: number;
    readonly meanLogit: number;
    readonly meanProbability: number;
    /** Median; 1 is the most probable token. */
    readonly medianRank: number;
  }[];
}

/** What the lens shows of the prompts of a class. */
export interface ClassLensResult {
  readonly label: string;
  readonly table: TokenTable;
  /** Nats, state by state in the order of the table. */
  readonly meanEntropies: readonly number[];
  readonly consistency: Consistency;
  /** Of tokens of the negative list alone. */
  readonly negativeConsistency: Consistency;
  readonly followed: readonly TokenPath[];
}

/** What `weak-probe lens` writes. */
export interface LensResult {
  readonly model: { readonly path: string; readonly fingerprint: string };
  /** K. */
  readonly top: number;
  readonly norm: 'official' | 'once';
  /** File of the tuned lens, or null for the logit lens. */
  readonly tunedLens: string | null;
  /** Text that states were put into, to be read by the later blocks; null for a lens. */
  readonly patchscope: string | null;
  readonly layerCount: number;
  readonly middleStates: readonly number[];
  readonly classes: readonly ClassLensResult[];
}

/** States of a class, and how they are read. */
export interface ClassLensInput
  extends CallOptions,
    Pick<LensOptions, 'areNormed' | 'norm' | 'tokens'> {
  readonly label: string;
  readonly rows: StateRows;
  readonly tokenizer: Tokenizer;
  /** Text that states are put into, as ids; without one they are read by the output alone. */
  readonly patchscope?: readonly number[] | undefined;
  /** Default all. */
  readonly states?: readonly number[] | undefined;
  readonly kinds: TokenKinds;
  readonly settings: Config['lens'];
  /** Of the resamples of intervals. */
  readonly seed: number;
  /** File where states are kept as they are done, and what they depend on. */
  readonly records: { readonly path: string; readonly settings: unknown };
}

/** A state in a file. */
interface StateRecord {
  readonly state: number;
  readonly ids: readonly number[];
  readonly entropies: readonly number[];
  readonly followed: {
    readonly logits: readonly number[];
    readonly logProbabilities: readonly number[];
    readonly ranks: readonly number[];
  } | null;
}

/**
 * Reads the lens of a class; states that a file has are not read again.
 *
 * @throws as `lensStates`, `tokenTable` and `topKConsistency`.
 */
export async function classLens(model: Model, input: ClassLensInput): Promise<ClassLensResult> {
  const { label, settings, tokenizer, kinds, tokens = [], seed } = input;
  const lens = await readStates(model, input);
  const nameOf = tokenNamer(tokenizer);
  const { countBy, middleFrom, middleTo, restrict } = settings;
  const middle = middleStates(model.architecture.layerCount, middleFrom, middleTo);
  const inMiddle = lens.filter(({ state }) => middle.includes(state));
  const consistencyOf = (which: Config['lens']['restrict']) => {
    const random = createRandom(seed).fork(`consistency/${label}/${which}`);
    return topKConsistency(inMiddle, { nameOf, countBy, kinds, restrict: which, random });
  };
  return {
    label,
    // Released code counts a text each time, and so do its published heat maps.
    table: tokenTable(lens, { nameOf, countBy, kinds, isRepeated: countBy === 'text' }),
    meanEntropies: lens.map(({ entropies }) => mean(entropies)),
    consistency: consistencyOf(restrict),
    negativeConsistency: consistencyOf('negative'),
    followed: tokens.map((id, at) => pathOf(lens, { id, at, text: nameOf(id) })),
  };
}

type ReadState = Pick<StateLens, 'entropies' | 'followed' | 'ids' | 'state' | 'top'>;

async function readStates(model: Model, input: ClassLensInput): Promise<ReadState[]> {
  const { rows, settings, norm, areNormed, tokens = [], patchscope, signal, onProgress } = input;
  const { topK: top } = settings;
  const file = openRecordFile<StateRecord>(input.records.path, input.records.settings);
  const done = file.records.map((record) => recordedState(record, { top, tokens }));
  const all = input.states ?? Array.from({ length: rows.stateCount }, (_, state) => state);
  const states = all.slice(done.length);
  const partBytes = 1e6 * settings.partMegabytes;
  const options = { top, tokens, states, partBytes, signal };
  const lens: ReadState[] = [...done];
  const found =
    patchscope === undefined
      ? lensStates(model, rows, { ...options, norm, areNormed })
      : patchscopeStates(model, rows, { ...options, target: patchscope });
  for await (const one of found) {
    const { state, ids, entropies, followed } = one;
    lens.push({ state, top, ids, entropies, followed });
    file.append({
      ...{ state, ids: [...ids], entropies: [...entropies] },
      followed: followed && {
        logits: [...followed.logits],
        logProbabilities: [...followed.logProbabilities],
        ranks: [...followed.ranks],
      },
    });
    onProgress?.(lens.length, all.length);
  }
  return lens;
}

function recordedState(
  { state, ids, entropies, followed }: StateRecord,
  { top, tokens }: { readonly top: number; readonly tokens: readonly number[] },
): ReadState {
  return {
    ...{ state, top, ids: Int32Array.from(ids), entropies: Float32Array.from(entropies) },
    followed: followed && {
      ids: tokens,
      logits: Float32Array.from(followed.logits),
      logProbabilities: Float32Array.from(followed.logProbabilities),
      ranks: Int32Array.from(followed.ranks),
    },
  };
}

function pathOf(
  lens: readonly ReadState[],
  { id, at, text }: { readonly id: number; readonly at: number; readonly text: string },
): TokenPath {
  const states = lens.map(({ state, followed }) => {
    const count = followed!.ids.length;
    const column = (values: ArrayLike<number>) =>
      Array.from(values).filter((_, place) => place % count === at);
    const ranks = column(followed!.ranks).toSorted((a, b) => a - b);
    return {
      state,
      meanLogit: mean(column(followed!.logits)),
      meanProbability: mean(column(followed!.logProbabilities).map(Math.exp)),
      medianRank: quantile(ranks, 0.5),
    };
  });
  return { id, text, states };
}
