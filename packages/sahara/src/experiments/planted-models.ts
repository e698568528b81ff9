/**
 * Models whose refusal heads were written by hand: are they found?
 */
import {
  exampleModel,
  type ExampleModelName,
  exampleModelNames,
  loadModel,
  loadTokenizer,
} from '@lab/transformer';
import { type HeadAblation, UNIFORM } from '../ablation.js';
import { datasetShips } from '../dataset-ships.js';
import { headKey, type HeadId, rankHeads } from '../head.js';
import { sahara, type SaharaStep } from '../sahara.js';
import { meanScores } from '../score-file.js';
import { shipsTogether } from '../ships.js';
import { type PlantedHeads, readPlantedHeads, recallOf } from './planted-heads.js';
import {
  studyPrompts,
  type StudyResult,
  studyResponses,
  studyResult,
  tokenPrompts,
} from './refusal-study.js';

/** Example models with planted heads. */
export const plantedModels: readonly ExampleModelName[] = exampleModelNames.filter((name) =>
  name.startsWith('planted-'),
);

/** What a model with planted heads comes to. */
export interface PlantedResult {
  readonly model: ExampleModelName;
  /** Heads that carry the refusals. */
  readonly planted: readonly HeadId[];
  /** Whether ablating one of them alone keeps all refusals. */
  readonly isRedundant: boolean;
  /** `[L][H]`, mean over prompts, nats. */
  readonly ships: readonly (readonly (number | null)[])[];
  /** Rank of each planted head in a scan of single heads, from 1. */
  readonly ranks: readonly number[];
  /** Share of the planted heads among the k best, k as many as are planted. */
  readonly recall: { readonly ships: number; readonly dataset: number; readonly sahara: number };
  readonly steps: readonly SaharaStep[];
  /** Responses without the group of the search. */
  readonly result: StudyResult;
}

const SIZES = { scored: 32, refused: 16, answered: 16 };

/** How a model is studied. */
export interface PlantedOptions {
  readonly ablation?: HeadAblation | undefined;
  /** Default `template`. */
  readonly format?: string | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Scans of single heads, and a search for as many heads as are planted. */
export async function studyPlanted(
  name: ExampleModelName,
  { ablation, format = 'template', seed = 1, signal }: PlantedOptions = {},
): Promise<PlantedResult> {
  const folder = exampleModel(name);
  const { heads: planted, expected } = readPlantedHeads(folder);
  const model = await loadModel(folder);
  try {
    const tokenizer = loadTokenizer(folder);
    const requests = await studyPrompts(folder, SIZES, seed);
    const prompts = tokenPrompts(tokenizer, requests.scored, format);
    const options = { ablation, signal };
    const ships = meanScores(await shipsTogether(model, prompts, options));
    const dataset = await datasetShips(model, prompts, options);
    const steps: SaharaStep[] = [];
    const search = { ...options, measure: 'divergence', size: planted.length } as const;
    for await (const step of sahara(model, prompts, search)) steps.push(step);
    const group = steps.at(-1)!.group;
    const groups = [{ name: 'sahara', heads: group }];
    const responses = await studyResponses({ model, tokenizer }, requests, {
      ...{ ablation: ablation ?? UNIFORM, format, groups, draws: 0, seed, signal },
    });
    const ranking = rankHeads(ships).map(headKey);
    return {
      ...{ model: name, planted, ships, steps },
      isRedundant: planted.length > 1 && isKeptByEach(planted, expected),
      ranks: planted.map((head) => ranking.indexOf(headKey(head)) + 1),
      recall: {
        ships: recallOf(planted, rankHeads(ships, planted.length)),
        dataset: recallOf(planted, rankHeads(dataset.scores, planted.length)),
        sahara: recallOf(planted, group),
      },
      result: studyResult(responses, groups),
    };
  } finally {
    model.dispose();
  }
}

/** Whether refusals stay when any one of the heads is ablated alone. */
function isKeptByEach(planted: readonly HeadId[], expected: PlantedHeads['expected']): boolean {
  return planted.every((head) =>
    expected.some(
      ({ ablated, refusals }) =>
        refusals === 'kept' &&
        typeof ablated !== 'string' &&
        ablated.length === 1 &&
        headKey(ablated[0]!) === headKey(head),
    ),
  );
}
