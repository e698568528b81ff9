/**
 * Ranked candidates of every entity that has no seed.
 */
import { checkOptions, objectWith, type OptionFields, optionFields, sha256 } from '@lab/core';
import { HostRows } from '@lab/tensor';
import { z } from 'zod';
import { type ComparedRows, comparedRows } from './compared-rows.js';
import { foundByEvidence, stateEvidence } from './evidence/ranked-evidence.js';
import type { Encoding, EntitySides } from './learner.js';
import { type CandidateStore, createCandidateStore } from './search/candidate-store.js';
import {
  type CandidateCounts,
  type FoundPairs,
  type SearchOptions,
  searchBothWays,
  usesIndex,
  weighsEvidence,
} from './search/search.js';
import type { TrainingState } from './training-state.js';

/** How many candidates of an entity are looked at, for one-to-one matching and for reports. */
const CANDIDATES = 10;

/** Sources of a target that are looked at: the best, and its rival. */
const RIVALS = 2;

/** Ranked candidates of some sources among some targets. */
export interface CandidateTable {
  /** Dense indices of the sources, `[n]`, and of the targets, `[m]`. */
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  /** Positions in `targets`, best first, `[n, width]`; -1 where there are fewer. */
  readonly indices: Int32Array;
  /** Scores, `[n, width]`. */
  readonly scores: Float32Array;
  readonly width: number;
  /** For every target its two best sources (positions) and their scores, `[m, 2]`. */
  readonly backwardIndices: Int32Array;
  readonly backwardScores: Float32Array;
}

/** Options of `candidateTable`. */
export interface CandidateOptions {
  /** The model as it is, kept by the caller; without it all entities are encoded. */
  readonly encoding?: Encoding | undefined;
  /** Whose entities ask: with `target`, `sources` of the table are those of the second graph. */
  readonly side?: 'source' | 'target' | undefined;
  /**
   * Folder for the rows and candidates of very many entities, batch by batch: a search that was
   * killed goes on there, and the next one finds them. Those of another model are removed.
   */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: SearchOptions['onProgress'];
}

const candidateSchema = z.strictObject({
  encoding: objectWith(['embed'], 'must be an encoding').optional(),
  side: z.enum(['source', 'target']).optional(),
  folder: optionFields.path.optional(),
  signal: optionFields.signal,
  onProgress: optionFields.callback,
} satisfies OptionFields<CandidateOptions>);

/**
 * Candidates of every entity that is in no training seed, among such entities of the other graph;
 * the entities of the first graph ask, unless `side` says otherwise.
 *
 * Scores are those of the evaluation: by evidence or by the fused vectors, with CSLS.
 */
export async function candidateTable(
  state: TrainingState,
  options: CandidateOptions = {},
): Promise<CandidateTable> {
  checkOptions('alignment/candidateTable', options, candidateSchema);
  const { task } = state;
  const seeded = new Set(task.split.seeds);
  const left = task.data.left.filter((entity) => !seeded.has(entity));
  const right = task.data.right.filter((entity) => !seeded.has(entity));
  const isReversed = options.side === 'target';
  const [sources, targets] = isReversed ? [right, left] : [left, right];
  if (sources.length === 0 || targets.length === 0) return emptyTable(sources, targets);
  const counts = isReversed
    ? { forward: RIVALS, backward: CANDIDATES }
    : { forward: CANDIDATES, backward: RIVALS };
  const found = await searchCandidates(state, { left, right }, { ...options, counts });
  const [asked, answering] = isReversed
    ? [found.backward, found.forward]
    : [found.forward, found.backward];
  return {
    sources,
    targets,
    ...asked,
    width: CANDIDATES,
    backwardIndices: answering.indices,
    backwardScores: answering.scores,
  };
}

/** The best of both sides; an encoding that is made for them is freed before the search. */
async function searchCandidates(
  state: TrainingState,
  sides: EntitySides,
  options: CandidateOptions & { readonly counts: CandidateCounts },
): Promise<FoundPairs> {
  if (weighsEvidence(sides, state.config.evaluation)) {
    return evidenceCandidates(state, sides, options);
  }
  const { search, cslsNeighbours } = state.config.evaluation;
  const { folder, signal, onProgress } = options;
  const isStored = folder !== undefined && (await usesIndex(sides, search));
  const store = isStored ? createCandidateStore(folder, storeKey(state)) : undefined;
  const rows = await candidateRows(state, sides, { given: options.encoding, store, signal });
  try {
    const random = state.random.fork('search');
    const how = { search, cslsNeighbours, random, store, signal, onProgress };
    return await searchBothWays(rows, options.counts, how);
  } finally {
    rows.dispose();
  }
}

/** The best of both sides by evidence, all of it from one encoding. */
async function evidenceCandidates(
  state: TrainingState,
  sides: EntitySides,
  { encoding: given, counts, signal }: CandidateOptions & { readonly counts: CandidateCounts },
): Promise<FoundPairs> {
  const encoding = given ?? state.learner.encode();
  try {
    const random = state.random.fork('align');
    const rows = await comparedRows(encoding, sides, { random, signal });
    try {
      const evidence = await stateEvidence(state, { sides, rows, encoding, signal });
      return foundByEvidence(evidence, counts);
    } finally {
      rows.dispose();
    }
  } finally {
    if (given === undefined) encoding.dispose();
  }
}

/** On what the rows of a trained model depend: data, seeds, settings and the epoch it is of. */
const storeKey = ({ name, config, epoch, selection, task: { data, split } }: TrainingState) => ({
  ...{ name, config, epoch: selection.epoch || epoch, entities: data.entityCount },
  files: data.files.map(({ sha256: digest }) => digest),
  seeds: sha256(split.seeds.join(' ')),
});

/** Rows of both sides: those in the store, or computed and, where they are many, put there. */
async function candidateRows(
  { learner, random }: TrainingState,
  sides: EntitySides,
  { given, store, signal }: RowOptions,
): Promise<ComparedRows> {
  const sizes = { left: sides.left.length, right: sides.right.length };
  const stored = await store?.rows(sizes);
  if (stored !== undefined) return { ...stored, dispose: () => {} };
  const encoding = given ?? learner.encode();
  const rows = await comparedRows(encoding, sides, { random: random.fork('align'), signal });
  if (given === undefined) encoding.dispose();
  const { left, right } = rows;
  if (left instanceof HostRows && right instanceof HostRows)
    await store?.writeRows({ left, right });
  return rows;
}

interface RowOptions {
  readonly given: Encoding | undefined;
  readonly store: CandidateStore | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The table of sources that have no candidates, or of no sources. */
function emptyTable(sources: Int32Array, targets: Int32Array): CandidateTable {
  const none = (count: number) => ({
    indices: new Int32Array(count).fill(-1),
    scores: new Float32Array(count).fill(Number.NEGATIVE_INFINITY),
  });
  const backward = none(2 * targets.length);
  return {
    sources,
    targets,
    ...none(CANDIDATES * sources.length),
    width: CANDIDATES,
    backwardIndices: backward.indices,
    backwardScores: backward.scores,
  };
}
