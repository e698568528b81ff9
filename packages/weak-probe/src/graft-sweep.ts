/**
 * Grafts at many states: what the first token of each response becomes.
 */
import { type Interval, mean, tInterval, wilson } from '@lab/metrics';
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { BlockWalk } from './block-walk.js';
import { eachRow, type FirstToken, firstTokenOf, type Openings } from './first-tokens.js';
import {
  assertGraft,
  assertPositions,
  graftedResidual,
  type GraftPlace,
  type GraftSettings,
} from './grafting.js';
import { assertParties, type GraftParties, type GraftSource, vectorsAt } from './graft-vectors.js';
import { type EncodedPrompt, promptBatches, type PromptBatch } from './hidden-states.js';
import type { CallOptions } from './state-rows.js';

/** A prompt's first token under a graft. */
export interface GraftRecord extends FirstToken {
  /** Place of the recipient among those given. */
  readonly row: number;
  /** Null without a graft. */
  readonly state: number | null;
  /** `none` without a graft. */
  readonly source: GraftSource | 'none';
}

/** What is grafted into whom. */
export interface GraftSweepInput extends CallOptions, GraftParties, Omit<GraftSettings, 'state'> {
  readonly recipients: readonly EncodedPrompt[];
  readonly openings: Openings;
  /** Default all of them, without 0 for `official`. */
  readonly states?: readonly number[] | undefined;
  /** Default `mean`, with the controls `other-recipient` and `noise`. */
  readonly sources?: readonly GraftSource[] | undefined;
  /** Recipients among those given; default all. */
  readonly rows?: readonly number[] | undefined;
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/** Donors and controls of a sweep that names none. */
const SOURCES: readonly GraftSource[] = ['mean', 'other-recipient', 'noise'];

/**
 * First tokens of all recipients without and with a graft at each state, batch by batch.
 *
 * A batch goes through the blocks once; from each state on, the rest of the blocks runs again for
 * all sources together, with the last position replaced. That is exact: blocks before a graft do
 * not depend on it.
 *
 * @throws {ConfigError} for states, shares and sources that are not there.
 * @throws {ShapeError} for states of another model.
 */
export async function* graftSweep(
  model: Model,
  input: GraftSweepInput,
): AsyncGenerator<GraftRecord> {
  const { recipients, rows = recipients.map((_, row) => row), batchTokens = 4096 } = input;
  const states = sweepStates(model, input);
  assertSweep(model, input, states);
  const asked = rows.map((row) => recipients[row]!);
  let done = 0;
  const { length: sourceCount } = input.sources ?? SOURCES;
  // What grafts leave of a pass runs for all sources together.
  const most = Math.ceil(batchTokens / Math.max(sourceCount, 1));
  for (const batch of promptBatches(model, asked, most)) {
    const own = batch.members.map((at) => rows[at]!);
    yield* batchSweep({ model, input, batch, rows: own, states });
    done += own.length;
    input.onProgress?.(done, rows.length);
  }
}

/** States of a sweep. */
function sweepStates({ architecture }: Model, { states, semantics }: GraftSweepInput) {
  const first = semantics === 'official' ? 1 : 0;
  const count = architecture.layerCount + 1 - first;
  return states ?? Array.from({ length: count }, (_, at) => first + at);
}

function assertSweep(model: Model, input: GraftSweepInput, states: readonly number[]): void {
  const { semantics, share, recipients } = input;
  for (const state of states) assertGraft(model.architecture, { state, semantics, share });
  assertParties(model, input, recipients.length);
  assertPositions(recipients, input.positions);
}

interface BatchSweep {
  readonly model: Model;
  readonly input: GraftSweepInput;
  readonly batch: PromptBatch;
  /** Places of the batch's prompts among the recipients. */
  readonly rows: readonly number[];
  readonly states: readonly number[];
}

async function* batchSweep(job: BatchSweep): AsyncGenerator<GraftRecord> {
  const { model, input, batch, rows, states } = job;
  const { sources = SOURCES, signal } = input;
  const { ids, mask } = batch;
  const unchanged: Float32Array[] = [];
  const clean = await model.forward({ ids, mask, logits: 'last', signal });
  await eachRow(clean.logits!, (at, logits) => {
    unchanged[at] = logits.slice();
  }).finally(() => clean.dispose());
  for (const [at, row] of rows.entries()) {
    const found = firstTokenOf(unchanged[at]!, input.openings);
    yield { row, state: null, source: 'none', ...found };
  }
  const walk = new BlockWalk(model, batch, signal);
  try {
    for (const state of states.toSorted((a, b) => a - b)) {
      await walk.to(state);
      yield* await grafted(job, { state, sources, place: walk.place, unchanged });
    }
  } finally {
    walk.dispose();
  }
}

interface StateGrafts {
  readonly state: number;
  readonly sources: readonly GraftSource[];
  readonly place: GraftPlace;
  readonly unchanged: readonly Float32Array[];
}

/** First tokens under the grafts of a state, source by source: one pass for all. */
async function grafted(
  { model, input, batch, rows }: BatchSweep,
  { state, sources, place, unchanged }: StateGrafts,
): Promise<GraftRecord[]> {
  const { signal } = input;
  const parts: tf.Tensor3D[] = [];
  try {
    for (const source of sources) {
      const vectors = await vectorsAt(input, { source, state, rows });
      parts.push(graftedResidual(place, vectors, input));
    }
    const residual = tf.concat(parts, 0);
    parts.push(residual);
    const repeated = <T>(list: readonly T[]) => sources.flatMap(() => list);
    const [ids, mask] = [repeated(batch.ids), repeated(batch.mask)];
    const result = await model.forward({
      ...{ ids, mask, residual, startBlock: state, logits: 'last', signal },
    });
    const records: GraftRecord[] = [];
    await eachRow(result.logits!, (at, logits) => {
      const member = at % rows.length;
      const found = firstTokenOf(logits, input.openings, unchanged[member]);
      const source = sources[Math.floor(at / rows.length)]!;
      records.push({ row: rows[member]!, state, source, ...found });
    }).finally(() => result.dispose());
    return records;
  } finally {
    tf.dispose(parts);
  }
}

/** A state of a sweep, over all recipients. */
export interface GraftPoint {
  readonly state: number | null;
  readonly source: GraftSource | 'none';
  readonly n: number;
  /** Share of recipients whose first token is more probably a refusal (gap above 0). */
  readonly refusalShare: number;
  /** Wilson, 95 %. */
  readonly refusalInterval: Interval;
  /** Mean gap, nats, and Student's interval of it, 95 %. */
  readonly gap: number;
  readonly gapInterval: Interval;
  readonly kl: number;
  /** The most frequent best tokens, three at most, and of how many recipients they are. */
  readonly bestTokens: readonly { readonly id: number; readonly share: number }[];
}

/** Records gathered by source and state: the sweep curve, and the line without a graft. */
export function graftCurve(records: readonly GraftRecord[]): GraftPoint[] {
  const groups = new Map<string, GraftRecord[]>();
  for (const record of records) {
    const key = `${record.source}/${record.state}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return [...groups.values()].map((group) => {
    const { state, source } = group[0]!;
    return { state, source, ...summaryOf(group) };
  });
}

/** First tokens of many prompts in a line. */
export function summaryOf(found: readonly FirstToken[]): Omit<GraftPoint, 'source' | 'state'> {
  const n = found.length;
  const refused = found.filter(({ gap }) => gap > 0).length;
  const gaps = found.map(({ gap }) => gap);
  const { mean: gap, low, high } = tInterval(gaps);
  const counts = new Map<number, number>();
  for (const { id } of found) counts.set(id, (counts.get(id) ?? 0) + 1);
  const best = [...counts].toSorted(([a, count], [b, other]) => other - count || a - b);
  return {
    ...{ n, refusalShare: refused / n, refusalInterval: wilson(refused, n) },
    ...{ gap, gapInterval: { low, high }, kl: mean(found.map(({ kl }) => kl)) },
    bestTokens: best.slice(0, 3).map(([id, count]) => ({ id, share: count / n })),
  };
}
