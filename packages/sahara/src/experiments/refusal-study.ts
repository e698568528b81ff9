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
import { type HeadId, rankHeads } from '../head.js';
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
  return records.map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt, { format }).ids }));
}

/** What responses are made with. */
export interface StudyOptions {
  readonly ablation: HeadAblation;
  readonly format: string;
  readonly group: readonly HeadId[];
  /** Random groups of as many heads, none of the group. */
  readonly draws: number;
  readonly seed: number;
  readonly maxNewTokens?: number | undefined;
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

/** Responses intact, without the group, and without random groups. */
export async function studyResponses(
  loaded: { readonly model: Model; readonly tokenizer: Tokenizer },
  prompts: StudyPrompts,
  { ablation, group, draws, ...options }: StudyOptions,
): Promise<StudyResponses> {
  const { model } = loaded;
  const resolved = resolveAblation(ablation, model.architecture);
  const changes = (heads: readonly HeadId[]) => ablationChanges(model, resolved, heads);
  const groups = randomHeads(headCounts(model.architecture, resolved), {
    ...{ size: group.length, draws, seed: options.seed, except: group },
  });
  const own: Arm[] = [{ name: 'intact' }, { name: 'ablated', changes: changes(group) }];
  const random = groups.map((heads, at): Arm => ({
    name: `random-${at + 1}`,
    changes: changes(heads),
  }));
  const shared = { maxNewTokens: 32, maxRows: 32, ...options };
  const judge = createJudge('sahara-paper');
  const answers = createAnswerJudge(prompts.answered, judge);
  return {
    refused: await all(runArms(loaded, prompts.refused, [...own, ...random], { ...shared, judge })),
    answered: await all(runArms(loaded, prompts.answered, own, { ...shared, judge: answers })),
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The best heads of scores. */
export const bestHeads = (
  scores: readonly (readonly (number | null)[])[],
  count: number,
): HeadId[] => rankHeads(scores, count).map(({ layer, head }) => ({ layer, head }));

/** What responses of a study come to. */
export interface StudyResult {
  readonly intact: ArmResult;
  readonly ablated: ArmResult;
  /** Attack success of the random groups. */
  readonly random: readonly number[];
  /** Share of right answers, intact and without the group. */
  readonly accuracy: { readonly intact: ArmResult['rate']; readonly ablated: ArmResult['rate'] };
}

/** Shares of the arms of a study. */
export function studyResult({ refused, answered }: StudyResponses): StudyResult {
  const named = (lines: readonly ResponseLine[], name: string) =>
    armResults(lines.filter(({ arm }) => arm === name))[0]!;
  const random = armResults(refused).filter(({ arm }) => arm.startsWith('random-'));
  return {
    intact: named(refused, 'intact'),
    ablated: named(refused, 'ablated'),
    random: random.map(({ rate }) => rate.share),
    accuracy: {
      intact: named(answered, 'intact').rate,
      ablated: named(answered, 'ablated').rate,
    },
  };
}
