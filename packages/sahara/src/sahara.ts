/**
 * Sahara: a group of heads grown one by one, each the one that moves a data set most beside those
 * before it.
 */
import { ConfigError } from '@lab/core';
import type { Model } from '@lab/transformer';
import { headCounts, resolveAblation, UNIFORM } from './ablation.js';
import {
  type DatasetReference,
  datasetReference,
  datasetShips,
  type DatasetShipsOptions,
  type HeadScore,
} from './dataset-ships.js';
import { type HeadCounts, type HeadId, headKey, rankHeads } from './head.js';
import type { TokenPrompt } from './head-outputs.js';

/** How a group is searched. */
export interface SaharaOptions
  extends Omit<DatasetShipsOptions, 'earlier' | 'group' | 'heads' | 'onScores' | 'reference'> {
  /** Heads of the group; default 3, at most all heads. */
  readonly size?: number | undefined;
  /** Ends the search at a step that adds less to the score; degrees or nats. Default never. */
  readonly minGain?: number | undefined;
  /** Groups that are kept at each step; 1 (default) is the greedy search of the paper. */
  readonly beam?: number | undefined;
  /** Steps that are known, of an earlier call with the same options. */
  readonly steps?: readonly SaharaStep[] | undefined;
  /** Scores that are known, by their group (`groupKey`), of steps that were not finished. */
  readonly known?: ReadonlyMap<string, readonly HeadScore[]> | undefined;
  /** Called when some heads of a step have their scores. */
  readonly onScores?: ((group: readonly HeadId[], found: readonly HeadScore[]) => void) | undefined;
  /** Called with what the intact model gave. */
  readonly onReference?: ((reference: DatasetReference) => void) | undefined;
}

/** A group of heads and its score. */
export interface ScoredGroup {
  readonly group: readonly HeadId[];
  readonly score: number;
}

/** A step of the search. */
export interface SaharaStep {
  /** From 1. */
  readonly step: number;
  /** Heads so far, the last one picked in this step. */
  readonly group: readonly HeadId[];
  /** Of the group, against the intact model. */
  readonly score: number;
  /** What the last head added to the group that it joined. */
  readonly gain: number;
  /** Of the group with each further head, `[L][H]`; null for its own. */
  readonly scores: readonly (readonly (number | null)[])[];
  readonly unit: 'degrees' | 'nats';
  /** Other heads with the same score: the smallest layer, then head, was picked. */
  readonly ties: readonly HeadId[];
  /** Groups that the next step goes on from, the best first; one without a beam. */
  readonly beams: readonly ScoredGroup[];
}

/** A group as text, in the order of layers. */
export const groupKey = (group: readonly HeadId[]): string =>
  group
    .toSorted((a, b) => a.layer - b.layer || a.head - b.head)
    .map(headKey)
    .join(' ');

/**
 * The steps of a search, each as soon as it is done.
 *
 * `G <- G + argmax_h Ships(Q, G + h)`, from the empty group, always against the intact model.
 * Source: Zhou et al., On the Role of Attention Heads in Large Language Model Safety, algorithm 1.
 * A search is resumed by the steps that it gave, and by the scores of the step that was under way.
 * Deviation: `beam` above 1 keeps several groups; the paper keeps one.
 *
 * @throws {ConfigError} for a size or beam below 1.
 * @throws what `datasetShips` throws.
 */
export async function* sahara(
  model: Model,
  prompts: readonly TokenPrompt[],
  options: SaharaOptions = {},
): AsyncGenerator<SaharaStep> {
  const { beam = 1, minGain = -Infinity, steps = [] } = options;
  const { architecture } = model;
  const ablation = resolveAblation(options.ablation ?? UNIFORM, architecture);
  if (ablation.kind === 'patch') {
    throw new ConfigError('sahara/sahara: patch is of one head at a time.', {
      help: 'Search a group with uniform, scale, zero or mean.',
    });
  }
  const counts = headCounts(architecture, ablation);
  const size = groupSize(options, counts);
  const last = steps.at(-1);
  let beams: readonly ScoredGroup[] = last?.beams ?? [{ group: [], score: 0 }];
  if (steps.length >= size || (last !== undefined && last.gain < minGain)) return;
  const { onScores: _, ...shared } = options;
  const reference = await datasetReference(model, prompts, shared);
  options.onReference?.(reference);
  for (let step = steps.length + 1; step <= size; step += 1) {
    const searched: Searched[] = [];
    for (const [at, { group }] of beams.entries()) {
      searched.push(
        await scoresBeside(model, prompts, {
          ...{ group, reference, options },
          share: (own) => (step - 1 + (at + own) / beams.length) / size,
        }),
      );
    }
    const before = beams;
    beams = bestGroups(searched, beam);
    const best = beams[0]!;
    const own = searched.find(({ group }) => isPrefix(group, best.group))!;
    const gain = best.score - before.find(({ group }) => group === own.group)!.score;
    yield {
      ...{ step, group: best.group, score: best.score, gain, scores: own.scores },
      ...{ unit: own.unit, ties: tiesOf(own, best), beams },
    };
    if (gain < minGain) return;
  }
}

function groupSize({ size = 3, beam = 1 }: SaharaOptions, counts: HeadCounts): number {
  for (const [name, value] of Object.entries({ size, beam })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ConfigError(`sahara/sahara: ${name} is ${value}.`, {
      help: 'Give a whole number from 1.',
    });
  }
  return Math.min(size, counts.layerCount * counts.headCount);
}

/** Scores of the heads beside a group. */
interface Searched {
  readonly group: readonly HeadId[];
  readonly scores: (number | null)[][];
  readonly unit: 'degrees' | 'nats';
}

interface Beside {
  readonly group: readonly HeadId[];
  readonly reference: DatasetReference;
  readonly options: SaharaOptions;
  /** Share of the search that is done at a share of these scores. */
  readonly share: (own: number) => number;
}

async function scoresBeside(
  model: Model,
  prompts: readonly TokenPrompt[],
  { group, reference, options, share }: Beside,
): Promise<Searched> {
  const earlier: (number | null)[][] = [];
  for (const { layer, head, score } of options.known?.get(groupKey(group)) ?? []) {
    (earlier[layer] ??= [])[head] = score;
  }
  const { scores, unit } = await datasetShips(model, prompts, {
    ...options,
    ...{ group, reference, earlier },
    onScores: (found) => options.onScores?.(group, found),
    onProgress: (own) => options.onProgress?.(share(own)),
  });
  return { group, scores, unit };
}

const isPrefix = (group: readonly HeadId[], whole: readonly HeadId[]): boolean =>
  group.length + 1 === whole.length &&
  group.every((head, at) => headKey(head) === headKey(whole[at]!));

/** The best groups of one more head, each set once. */
function bestGroups(searched: readonly Searched[], beam: number): ScoredGroup[] {
  const all = searched.flatMap(({ group, scores }) =>
    rankHeads(scores, beam + group.length + 1).map(
      ({ layer, head, score }): ScoredGroup => ({ group: [...group, { layer, head }], score }),
    ),
  );
  const seen = new Set<string>();
  const kept: ScoredGroup[] = [];
  for (const one of all.toSorted((a, b) => b.score - a.score)) {
    const key = groupKey(one.group);
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(one);
  }
  return kept.slice(0, beam);
}

function tiesOf({ scores }: Searched, { group, score }: ScoredGroup): HeadId[] {
  const picked = headKey(group.at(-1)!);
  return rankHeads(scores).flatMap(({ layer, head, score: other }) =>
    other === score && headKey({ layer, head }) !== picked ? [{ layer, head }] : [],
  );
}
