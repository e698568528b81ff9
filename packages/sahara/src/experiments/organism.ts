/**
 * The trained example model: do the heads that are found carry its refusals?
 */
import { type Interval, tInterval } from '@lab/metrics';
import { exampleModel, loadModel, loadTokenizer } from '@lab/transformer';
import { type HeadAblation, UNIFORM } from '../ablation.js';
import type { ArmProgress } from '../arms.js';
import type { HeadId } from '../head.js';
import { sahara, type SaharaStep } from '../sahara.js';
import { meanScores } from '../score-file.js';
import { shipsTogether } from '../ships.js';
import { readPlantedHeads, recallOf } from './planted-heads.js';
import {
  bestHeads,
  studyPrompts,
  type StudyResult,
  studyResponses,
  studyResult,
  type StudySizes,
  tokenPrompts,
} from './refusal-study.js';

/** How the model is studied. */
export interface OrganismOptions {
  readonly ablation?: HeadAblation | undefined;
  /** Heads of a group; default as many as `heads.json` names. */
  readonly size?: number | undefined;
  /** Random groups; default 20. */
  readonly draws?: number | undefined;
  /** Default `template`. */
  readonly format?: string | undefined;
  /** Requests; default 24 to score on, 48 refused and 96 answered ones to ask. */
  readonly sizes?: StudySizes | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArmProgress) => void) | undefined;
}

/**
 * What the model comes to: groups `Ships`, the best single heads, `Sahara`, of a search by the
 * subspace, and `Sahara, divergence`, of one by the mean divergence.
 */
export interface OrganismResult extends StudyResult {
  /** Heads that the model was trained to refuse by. */
  readonly planted: readonly HeadId[];
  /** Share of them that each way has found. */
  readonly recall: {
    readonly ships: number;
    readonly sahara: number;
    readonly saharaByDivergence: number;
  };
  /** `[L][H]`, mean over prompts, nats. */
  readonly ships: readonly (readonly (number | null)[])[];
  /** Of the mean over random groups: Student's, over draws. */
  readonly randomInterval: Interval & { readonly mean: number };
}

const SIZES: StudySizes = { scored: 24, refused: 48, answered: 96 };

/** Finds heads in both ways, and takes them out; random groups are the same for both. */
export async function studyOrganism({
  ablation = UNIFORM,
  size: wanted,
  draws = 20,
  format = 'template',
  sizes = SIZES,
  seed = 1,
  signal,
  onProgress,
}: OrganismOptions = {}): Promise<OrganismResult> {
  const folder = exampleModel('organism');
  const { heads: planted } = readPlantedHeads(folder);
  const size = wanted ?? planted.length;
  const model = await loadModel(folder);
  try {
    const tokenizer = loadTokenizer(folder);
    const prompts = await studyPrompts(folder, sizes, seed);
    const scored = tokenPrompts(tokenizer, prompts.scored, format);
    const ships = meanScores(await shipsTogether(model, scored, { ablation, signal }));
    const searched = async (measure: 'divergence' | 'subspace') => {
      const steps: SaharaStep[] = [];
      const search = sahara(model, scored, { ablation, size, measure, signal });
      for await (const step of search) steps.push(step);
      return steps.at(-1)!.group;
    };
    const groups = [
      { name: 'Ships', heads: bestHeads(ships, size) },
      { name: 'Sahara', heads: await searched('subspace') },
      { name: 'Sahara, divergence', heads: await searched('divergence') },
    ];
    const [byShips, bySubspace, byDivergence] = groups.map(({ heads }) => recallOf(planted, heads));
    const recall = {
      ...{ ships: byShips!, sahara: bySubspace! },
      saharaByDivergence: byDivergence!,
    };
    const loaded = { model, tokenizer };
    const options = { ablation, format, groups, draws, seed, signal, onProgress };
    const result = studyResult(await studyResponses(loaded, prompts, options), groups);
    return { ...result, planted, recall, ships, randomInterval: tInterval(result.random) };
  } finally {
    model.dispose();
  }
}
