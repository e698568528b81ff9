/**
 * The trained example model: do the heads that are found carry its refusals, and nothing else?
 */
import { type Interval, tInterval } from '@lab/metrics';
import { exampleModel, loadModel, loadTokenizer, type Model, type Tokenizer } from '@lab/transformer';
import { type HeadAblation, UNIFORM } from '../ablation.js';
import type { ArmProgress } from '../arms.js';
import type { HeadId } from '../head.js';
import { sahara } from '../sahara.js';
import { meanScores } from '../score-file.js';
import { shipsTogether } from '../ships.js';
import {
  bestHeads,
  type StudyPrompts,
  studyPrompts,
  type StudyResult,
  studyResponses,
  studyResult,
  tokenPrompts,
} from './refusal-study.js';

/** How the model is studied. */
export interface OrganismOptions {
  readonly ablation?: HeadAblation | undefined;
  /** Heads of a group; default 3. */
  readonly size?: number | undefined;
  /** Random groups; default 20. */
  readonly draws?: number | undefined;
  /** Default `template`. */
  readonly format?: string | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArmProgress) => void) | undefined;
}

/** One way to find heads, and what they turn out to do. */
export interface OrganismRow extends StudyResult {
  /** `ships`: the best of single heads; `sahara`: the group of a search. */
  readonly way: 'sahara' | 'ships';
  readonly group: readonly HeadId[];
  /** Of the mean success of random groups: Student's, over draws. */
  readonly randomInterval: Interval & { readonly mean: number };
  /** Share of right answers that is lost; below 0 where there are more. */
  readonly accuracyLoss: number;
}

/** What the model comes to. */
export interface OrganismResult {
  /** `[L][H]`, mean over prompts, nats. */
  readonly ships: readonly (readonly (number | null)[])[];
  readonly rows: readonly OrganismRow[];
}

const SIZES = { scored: 24, refused: 60, answered: 120 };

/** Finds heads in both ways, and takes them out; random groups are the same for both. */
export async function studyOrganism({
  ablation = UNIFORM,
  size = 3,
  draws = 20,
  format = 'template',
  seed = 1,
  signal,
  onProgress,
}: OrganismOptions = {}): Promise<OrganismResult> {
  const folder = exampleModel('organism');
  const model = await loadModel(folder);
  try {
    const tokenizer = loadTokenizer(folder);
    const prompts = await studyPrompts(folder, SIZES, seed);
    const scored = tokenPrompts(tokenizer, prompts.scored, format);
    const ships = meanScores(await shipsTogether(model, scored, { ablation, signal }));
    const search = { ablation, size, signal, measure: 'divergence' } as const;
    let group: readonly HeadId[] = [];
    for await (const step of sahara(model, scored, search)) group = step.group;
    const ways = [
      { way: 'ships', group: bestHeads(ships, size) },
      { way: 'sahara', group },
    ] as const;
    const rows: OrganismRow[] = [];
    for (const { way, group: heads } of ways) {
      const options = { ablation, format, draws, seed, signal, onProgress, group: heads };
      rows.push(await rowOf(way, { model, tokenizer, prompts }, options));
    }
    return { ships, rows };
  } finally {
    model.dispose();
  }
}

interface Studied {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly prompts: StudyPrompts;
}

async function rowOf(
  way: OrganismRow['way'],
  { prompts, ...loaded }: Studied,
  options: Parameters<typeof studyResponses>[2],
): Promise<OrganismRow> {
  const result = studyResult(await studyResponses(loaded, prompts, options));
  const { accuracy, random } = result;
  return {
    ...result,
    ...{ way, group: options.group, randomInterval: tInterval(random) },
    accuracyLoss: accuracy.intact.share - accuracy.ablated.share,
  };
}
