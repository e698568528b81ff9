/**
 * Where in a prompt a class can be read: one token, a pool of all, or tokens that a probe chooses.
 */
import type { Interval } from '@lab/metrics';
import { fitAttentionProbe } from './attention-probe.js';
import type { Config } from './config.js';
import { explainSettings } from './explain.js';
import { classOfScores } from './plain-probe.js';
import { assertFiniteState, shareSamples } from './probe-input.js';
import { predictRows } from './probe-predictions.js';
import { scorePredictions, type SplitPredictions } from './probe-scores.js';
import { fitProbe, type ProbeKind, trainingRows } from './probes.js';
import { openRecordFile } from './record-file.js';
import { makeSplits, type Split } from './split.js';
import { assertState, type StateStore } from './state-store.js';
import {
  pooledTokens,
  type TokenPooling,
  type TokenPrompts,
  tokenPrompts,
} from './token-prompts.js';

/** What a probe is given of a prompt; `attention` chooses its tokens itself. */
export type PositionName = Exclude<TokenPooling, number> | 'attention';

/** How well a class is told from one position or pool. */
export interface PositionScore {
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly interval: Interval;
  /** Null unless there are two classes. */
  readonly auroc: number | null;
  readonly converged: boolean;
}

/** One way to read prompts. */
export interface NamedPosition extends PositionScore {
  readonly position: PositionName;
  /** Of `attention`: mean share of the last token, over test prompts; else null. */
  readonly lastShare: number | null;
}

/** One token of every prompt. */
export interface TokenPosition extends PositionScore {
  /** From the end of the text: -1 is the last. */
  readonly offset: number;
}

/** All ways to read prompts at a state. */
export interface PositionReport {
  readonly state: number;
  readonly positions: readonly NamedPosition[];
  readonly offsets: readonly TokenPosition[];
}

/** What `weak-probe positions` writes. */
export interface PositionResult {
  readonly model: { readonly path: string; readonly fingerprint: string };
  readonly format: string;
  /** Kind of probe of single rows; `attention` is a logistic one. */
  readonly probe: ProbeKind;
  readonly settings: ReturnType<typeof explainSettings>;
  /** N. */
  readonly promptCount: number;
  readonly fewestTokens: number;
  readonly states: readonly PositionReport[];
}

/** What {@link comparePositions} reads. */
export interface PositionOptions {
  /** A store of all tokens. */
  readonly store: StateStore;
  readonly config: Config;
  /** Default the first of `config.probe.kinds`. */
  readonly probe?: ProbeKind | undefined;
  /** Default all. */
  readonly states?: readonly number[] | undefined;
  /** Tokens from the end that are read one by one; default 8, at most those of every prompt. */
  readonly offsetCount?: number | undefined;
  /** File where states are kept as they are done. */
  readonly recordPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: number, position: PositionName | number) => void) | undefined;
}

const OFFSETS = 8;

/**
 * Accuracy of a probe by what it is given of each prompt, state by state, on the same splits:
 * the last token, the last of the prompt itself (where ends were kept), mean and highest value of
 * all tokens, tokens that a probe chooses, and single tokens counted from the end.
 *
 * @throws {ConfigError} for a store of other positions, and states that are not there.
 * @throws {DataError} for values that are not finite.
 */
export async function comparePositions(options: PositionOptions): Promise<PositionResult> {
  const { store, config } = options;
  const prompts = tokenPrompts(store);
  const { classes, model, format } = store.about;
  const { labels, groups } = prompts;
  const all = Array.from({ length: store.stateCount }, (_, state) => state);
  const states = options.states ?? all;
  for (const state of states) assertState(state, store.stateCount);
  const probe = options.probe ?? config.probe.kinds[0]!;
  const count = Math.min(options.offsetCount ?? OFFSETS, prompts.fewestTokens);
  const settings = { ...config.split, seed: config.seed };
  const splits = makeSplits({ labels, classes, groups }, settings);
  const done = await reportsOf({ options, prompts, splits, probe, count }, states);
  return {
    model: { path: model.path, fingerprint: model.fingerprint },
    ...{ format, probe, settings: explainSettings(config) },
    ...{ promptCount: labels.length, fewestTokens: prompts.fewestTokens, states: done },
  };
}

interface Work {
  readonly options: PositionOptions;
  readonly prompts: TokenPrompts;
  readonly splits: readonly Split[];
  readonly probe: ProbeKind;
  /** Offsets that are read. */
  readonly count: number;
}

async function reportsOf(work: Work, states: readonly number[]): Promise<PositionReport[]> {
  const { options, probe, count } = work;
  const { store, config, recordPath, signal } = options;
  const { promptsSha256 } = store.about;
  const settings = { ...explainSettings(config), probe, count, prompts: promptsSha256 };
  const file =
    recordPath === undefined ? null : openRecordFile<PositionReport>(recordPath, settings);
  const known = new Map((file?.records ?? []).map((one) => [one.state, one]));
  const reports: PositionReport[] = [];
  for (const state of states) {
    signal?.throwIfAborted();
    const report = known.get(state) ?? (await reportOf(work, state));
    if (!known.has(state)) file?.append(report);
    reports.push(report);
  }
  return reports;
}

async function reportOf(work: Work, state: number): Promise<PositionReport> {
  const { options, prompts, count } = work;
  const { store, onProgress } = options;
  const { width, rows } = store;
  const values = await store.readState(state);
  assertFiniteState(values, { state, width, ids: rows.map(({ id }) => id) });
  const ends = prompts.promptEnds === null ? [] : (['prompt-end'] as const);
  const positions: NamedPosition[] = [];
  for (const position of ['last', ...ends, 'mean', 'max'] as const) {
    onProgress?.(state, position);
    const score = await pooledScore(work, pooledTokens(values, prompts, position));
    positions.push({ position, ...score, lastShare: null });
  }
  onProgress?.(state, 'attention');
  positions.push(await attentionScore(work, values));
  const offsets: TokenPosition[] = [];
  for (let offset = -1; offset >= -count; offset -= 1) {
    onProgress?.(state, offset);
    const score = await pooledScore(work, pooledTokens(values, prompts, offset));
    offsets.push({ offset, ...score });
  }
  return { state, positions, offsets };
}

/** A probe of one row a prompt, over all splits. */
async function pooledScore(work: Work, values: Float32Array): Promise<PositionScore> {
  const { options, prompts, splits, probe } = work;
  const { store, config, signal } = options;
  const { labels } = prompts;
  const rows = { rowCount: labels.length, columnCount: store.width, values };
  const samples = shareSamples({ rows, labels });
  const tested: SplitPredictions[] = [];
  let converged = true;
  for (const split of splits) {
    const training = trainingRows(samples, store.about.classes, split.train);
    const fitted = await fitProbe(probe, training, { settings: config, signal });
    tested.push(predictRows(fitted, split.test, samples));
    converged &&= fitted.converged;
  }
  return { ...scoreOf(work, tested), converged };
}

/** The probe that chooses its tokens, over all splits. */
async function attentionScore(work: Work, values: Float32Array): Promise<NamedPosition> {
  const { options, prompts, splits } = work;
  const { store, config, signal } = options;
  const { labels, starts } = prompts;
  const { classes } = store.about;
  const samples = { values, width: store.width, starts, labels };
  const judge = {
    ...{ kind: 'attention', classes, width: store.width },
    layer: { form: 'linear', weights: [], intercepts: [], isVote: false },
  } as const;
  const tested: SplitPredictions[] = [];
  let [converged, shares, count] = [true, 0, 0];
  for (const { train, test } of splits) {
    const given = { classCount: classes.length, train, settings: config, signal };
    const probe = await fitAttentionProbe(samples, given);
    const scores = probe.margins(test);
    const outputs = scores.length / test.length;
    const predicted = Int32Array.from(test, (_, at) =>
      classOfScores(judge, scores.subarray(at * outputs, (at + 1) * outputs)),
    );
    const actual = Int32Array.from(test, (prompt) => labels[prompt]!);
    tested.push({ predicted, actual, margins: classes.length === 2 ? scores : null });
    for (const prompt of test) shares += probe.attention(prompt).at(-1)!;
    count += test.length;
    converged &&= probe.converged;
  }
  const lastShare = shares / count;
  return { position: 'attention', ...scoreOf(work, tested), converged, lastShare };
}

function scoreOf(
  { options, prompts, splits }: Work,
  tested: readonly SplitPredictions[],
): Omit<PositionScore, 'converged'> {
  const { config, store } = options;
  const rowCount = config.split.folds > 0 ? prompts.labels.length : splits[0]!.test.length;
  const { accuracy, interval, auroc } = scorePredictions(tested, store.about.classes, { rowCount });
  return { accuracy, interval, auroc };
}
