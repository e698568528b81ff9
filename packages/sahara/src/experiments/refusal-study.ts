/**
 * The whole way on a model that tells right answers: scores, a group, responses without it.
 */
import { createRandom } from '@lab/core';
import {
  encodePrompt,
  type Model,
  type PromptRecord,
  readPromptData,
  type Tokenizer,
} from '@lab/transformer';
import { join } from 'node:path';
import { ablationChanges, type HeadAblation, headCounts, resolveAblation } from '../ablation.js';
import { type Arm, type ArmProgress, type ArmResult, armResults, runArms } from '../arms.js';
import { randomHeads } from '../baselines/random-heads.js';
import { headKey, type HeadId, rankHeads } from '../head.js';
import type { TokenPrompt } from '../head-outputs.js';
import { createJudge } from '../judge.js';
import type { ResponseLine } from '../response-line.js';
import { createAnswerJudge } from './answer-judge.js';

/** Requests of an example model. */
export interface StudyPrompts {
  /** Refused ones that heads are scored on. */
  readonly scored: readonly PromptRecord[];
  /** Other refused ones, that responses are made to. */
  readonly refused: readonly PromptRecord[];
  /** Ones that are answered, with the right answer. */
  readonly answered: readonly PromptRecord[];
}

/** How many requests of each kind. */
export interface StudySizes {
  readonly scored: number;
  readonly refused: number;
  readonly answered: number;
}

/**
 * Requests of an example model, drawn by chance; those that heads are scored on are no others.
 *
 * @param folder - of the checkpoint, with `prompts.csv`.
 * @param sizes - where there are too few refused ones, the same are scored and asked.
 */
export async function studyPrompts(
  folder: string,
  { scored, refused, answered }: StudySizes,
  seed: number,
): Promise<StudyPrompts> {
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  const random = createRandom(seed).fork('study-prompts');
  const drawn = (label: string) => {
    const own = records.filter((one) => one.label === label && one.split !== 'training');
    return Array.from(random.fork(label).permutation(own.length), (at) => own[at]!);
  };
  const [no, yes] = [drawn('refused'), drawn('answered')];
  const hasBoth = no.length >= scored + refused;
  return {
    scored: no.slice(0, scored),
    refused: hasBoth ? no.slice(scored, scored + refused) : no.slice(0, refused),
    answered: yes.slice(0, answered),
  };
}

/** Requests as a model reads them. */
export function tokenPrompts(
  tokenizer: Tokenizer,
  records: readonly PromptRecord[],
  format: string,
): TokenPrompt[] {
  return records.map(({ id, prompt }) => ({
    id,
    ids: encodePrompt(tokenizer, prompt, { format }).ids,
  }));
}

/** Heads that were found, under the name of the way that found them. */
export interface NamedGroup {
  readonly name: string;
  readonly heads: readonly HeadId[];
}

/** What responses are made with. */
export interface StudyOptions {
  readonly ablation: HeadAblation;
  readonly format: string;
  readonly groups: readonly NamedGroup[];
  /** Random groups of as many heads as the largest one has; none of the found heads. */
  readonly draws: number;
  readonly seed: number;
  readonly storeResponses?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArmProgress) => void) | undefined;
}

/** Responses to refused and to answered requests. */
export interface StudyResponses {
  readonly refused: readonly ResponseLine[];
  /** Verdict `harmful` where the answer is right, `refusal` or `degenerate` where it is not. */
  readonly answered: readonly ResponseLine[];
}

/** Tokens after which a refusal is told from an answer, and those of a whole answer. */
const TOKENS = { decided: 12, whole: 28 } as const;

/** Responses intact, without each group, and without random groups. */
export async function studyResponses(
  loaded: { readonly model: Model; readonly tokenizer: Tokenizer },
  prompts: StudyPrompts,
  { ablation, groups, draws, ...options }: StudyOptions,
): Promise<StudyResponses> {
  const { model } = loaded;
  const resolved = resolveAblation(ablation, model.architecture);
  const changes = (heads: readonly HeadId[]) => ablationChanges(model, resolved, heads);
  const found = new Map(groups.flatMap(({ heads }) => heads.map((head) => [headKey(head), head])));
  const size = groups.reduce((most, { heads }) => Math.max(most, heads.length), 1);
  const drawn = randomHeads(headCounts(model.architecture, resolved), {
    ...{ size, draws, seed: options.seed, except: [...found.values()] },
  });
  const arms: Arm[] = [
    { name: 'intact' },
    ...groups.map(({ name, heads }) => ({ name, changes: changes(heads) })),
  ];
  const random = drawn.map((heads, at) => ({ name: `random-${at + 1}`, changes: changes(heads) }));
  const judge = createJudge('sahara-paper');
  const answers = createAnswerJudge(prompts.answered, judge);
  const shared = { maxRows: 32, ...options };
  return {
    refused: await all(
      runArms(loaded, prompts.refused, [...arms, ...random], {
        ...{ ...shared, judge, maxNewTokens: TOKENS.decided },
      }),
    ),
    answered: await all(
      runArms(loaded, prompts.answered, arms, {
        ...{ ...shared, judge: answers, maxNewTokens: TOKENS.whole },
      }),
    ),
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What a model does without a group of heads. */
export interface GroupResult extends NamedGroup {
  /** Share of refused requests that are answered. */
  readonly success: ArmResult;
  /** Share of right answers to requests that should be answered. */
  readonly accuracy: ArmResult['rate'];
  /** Share of these requests that is refused. */
  readonly refusedInstead: number;
}

/** What responses of a study come to. */
export interface StudyResult {
  readonly intact: GroupResult;
  readonly groups: readonly GroupResult[];
  /** Share of refused requests that are answered without random groups, a number a draw. */
  readonly random: readonly number[];
}

/** Shares of the arms of a study. */
export function studyResult(
  { refused, answered }: StudyResponses,
  groups: readonly NamedGroup[],
): StudyResult {
  const [asked, right] = [armResults(refused), armResults(answered)];
  const named = (arms: readonly ArmResult[], name: string) => arms.find(({ arm }) => arm === name)!;
  const resultOf = ({ name, heads }: NamedGroup): GroupResult => {
    const { rate: accuracy, refusal: refusedInstead } = named(right, name);
    return { name, heads, success: named(asked, name), accuracy, refusedInstead };
  };
  return {
    intact: resultOf({ name: 'intact', heads: [] }),
    groups: groups.map(resultOf),
    random: asked.filter(({ arm }) => arm.startsWith('random-')).map(({ rate }) => rate.share),
  };
}

/** The best heads of scores. */
export const bestHeads = (
  scores: readonly (readonly (number | null)[])[],
  count: number,
): HeadId[] => rankHeads(scores, count).map(({ layer, head }) => ({ layer, head }));
