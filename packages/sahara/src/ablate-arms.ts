/**
 * Which arms an ablation has: intact, without heads, and what that is compared with.
 */
import { ConfigError } from '@lab/core';
import type { Model, PromptRecord } from '@lab/transformer';
import {
  ablationChanges,
  headCounts,
  type PassChanges,
  type ResolvedAblation,
} from './ablation.js';
import type { Arm } from './arms.js';
import { randomHeads } from './baselines/random-heads.js';
import { layerRunArms } from './baselines/skipped-layers.js';
import { courseCorrectionArms } from './course-correction.js';
import { allHeads, type HeadCounts, headKey, type HeadId } from './head.js';

/** What is ablated. */
export interface AblatedHeads {
  readonly ablation: ResolvedAblation;
  readonly heads: readonly HeadId[];
  /** Of each prompt its own, by its id; null where all have the same. */
  readonly byPrompt: ReadonlyMap<string, readonly HeadId[]> | null;
}

/** Which arms are made. */
export interface ArmChoice {
  /** The model as it is alone. */
  readonly intactOnly: boolean;
  /** Without every run of so many layers, in place of heads: `without layers 0-2` ... */
  readonly skipLayers?: number | undefined;
  /** The settings of {@link courseCorrectionArms}. */
  readonly courseCorrection: boolean;
  /** Without the first head, the first two, and so on: `1 head`, `2 heads` ... */
  readonly eachSize: boolean;
  /** Without each head of the model alone: `0-0`, `0-1` ... */
  readonly everyHead: boolean;
  /**
   * Heads that a defence would hold as they are: an arm `frozen` without the others alone shows how
   * much of the success is theirs.
   */
  readonly frozen?: readonly HeadId[] | undefined;
  /** Random groups: `random-1`, `random-2` ... */
  readonly random: number;
  /** Random heads of the layers of those that were found: tells heads apart from layers. */
  readonly sameLayers: boolean;
  readonly seed: number;
  readonly opening?: string | undefined;
}

/**
 * The arms of an ablation; the first is `intact`.
 *
 * @param records - prompts: each must have heads, where each has its own.
 * @throws {ConfigError} for a prompt without heads of its own.
 */
export function ablateArms(
  model: Pick<Model, 'architecture'>,
  records: readonly PromptRecord[],
  { ablation, heads, byPrompt }: AblatedHeads,
  choice: ArmChoice,
): Arm[] {
  if (choice.intactOnly) return [{ name: 'intact' }];
  if (choice.skipLayers !== undefined) {
    return [{ name: 'intact' }, ...layerRunArms(model, choice.skipLayers)];
  }
  if (choice.courseCorrection) return courseCorrectionArms(model, heads, choice.opening);
  const without = (own: readonly HeadId[]) => ablationChanges(model, ablation, own);
  const counts = headCounts(model.architecture, ablation);
  if (choice.everyHead) {
    const single = allHeads(counts).map((head) => ({
      name: headKey(head),
      changes: without([head]),
    }));
    return [{ name: 'intact' }, ...single];
  }
  const ownHeads = ({ id }: PromptRecord) => {
    const own = byPrompt!.get(id);
    if (own !== undefined) return own;
    throw new ConfigError(`--scores has no heads of the prompt ${id}.`, {
      help: 'Score the same prompts, with the same ids.',
    });
  };
  // Before any response: a prompt without heads is to be found at once.
  const size =
    byPrompt === null
      ? heads.length
      : Math.min(...records.map((record) => ownHeads(record).length));
  const firstOnes = (count: number) =>
    byPrompt === null
      ? without(heads.slice(0, count))
      : (record: PromptRecord) => without(ownHeads(record).slice(0, count));
  const ablated: Arm[] = choice.eachSize
    ? Array.from({ length: size }, (_, at) => ({
        name: at === 0 ? '1 head' : `${at + 1} heads`,
        changes: firstOnes(at + 1),
      }))
    : [{ name: 'ablated', changes: firstOnes(size) }];
  const random = randomArms({
    ...choice,
    ...{ counts, size, without, found: byPrompt === null ? heads : null },
  });
  return [{ name: 'intact' }, ...ablated, ...frozenArms(), ...random];

  function frozenArms(): Arm[] {
    const held = new Set((choice.frozen ?? []).map(headKey));
    if (held.size === 0) return [];
    const others = (own: readonly HeadId[]) =>
      without(own.filter((one) => !held.has(headKey(one))));
    const changes =
      byPrompt === null
        ? others(heads)
        : (record: PromptRecord) => others(ownHeads(record).slice(0, size));
    return [{ name: 'frozen', changes }];
  }
}

interface RandomArms extends Pick<ArmChoice, 'random' | 'sameLayers' | 'seed'> {
  readonly counts: HeadCounts;
  readonly size: number;
  /** Heads that were found; null where each prompt has its own. */
  readonly found: readonly HeadId[] | null;
  readonly without: (heads: readonly HeadId[]) => PassChanges;
}

/** Random groups of as many heads. */
function randomArms({ random: draws, sameLayers, seed, ...own }: RandomArms): Arm[] {
  const { counts, size, found, without } = own;
  if (draws === 0) return [];
  if (sameLayers && found === null) {
    throw new ConfigError('--same-layers: prompts have heads of their own, in several layers.', {
      help: 'Leave --per-prompt or --same-layers out.',
    });
  }
  const groups = randomHeads(counts, {
    ...{ size, draws, seed, except: found ?? [] },
    sameLayers: sameLayers ? (found ?? undefined) : undefined,
  });
  return groups.map((group, draw) => ({ name: `random-${draw + 1}`, changes: without(group) }));
}
