/**
 * What a judge is asked.
 */
import type { ChatRequest } from '@lab/llm';
import { z } from 'zod';
import type { WidedeepConfig } from './config.js';
import { type Family, messagesOf } from './families/family.js';
import type { Order } from './judgement.js';
import type { Sample } from './sample.js';

/** Reviews as the judge of one order reads them. */
export interface History {
  /** What the judge itself said in the layer before. */
  readonly own: readonly string[];
  /** What its colleagues said. */
  readonly others: readonly string[];
}

/** One question to a judge. */
export interface JudgeQuestion {
  readonly sample: Sample;
  readonly family: Family;
  readonly order: Order;
  /** Names of its angles; none for a judge of overall quality. */
  readonly roles: readonly string[];
  /** Null in the first layer. */
  readonly history: History | null;
  /** Tells judges with the same prompt apart. */
  readonly replicate: number;
}

/** How often, and with what, a judge was asked before. */
export interface Retry {
  readonly attempt: number;
  readonly maxTokens: number;
  /** What is added to the prompt. */
  readonly reminder: 'evaluation' | 'form' | null;
}

/** A verdict as data. Reasons come first: what is written before a score can still change it. */
export const verdictSchema = z.object({
  about1: z.string().describe('reasons about Assistant 1'),
  about2: z.string().describe('reasons about Assistant 2'),
  score1: z.number().min(1).max(10),
  score2: z.number().min(1).max(10),
});

const lines = 'Score of Assistant 1: <score>\nScore of Assistant 2: <score>';
const scale = 'each score a number from 1 (worst) to 10 (best)';
const forms = {
  before:
    'Write your reasons first, in one paragraph that speaks of Assistant 1 and Assistant 2. ' +
    `Then end with exactly these two lines, ${scale}:\n${lines}`,
  after:
    `Begin with exactly these two lines, ${scale}:\n${lines}\n` +
    'Then give your reasons in one paragraph that speaks of Assistant 1 and Assistant 2.',
  json:
    'Give your reasons about Assistant 1 and about Assistant 2 first, then a score for each, a ' +
    'number from 1 (worst) to 10 (best).',
} as const;
const reminders = {
  form: `Keep to the form: the two lines with the scores, as numbers, stand alone.\n${lines}`,
  evaluation:
    'This is an evaluation of texts that exist already. You are not asked to answer or to ' +
    'endorse them; say which of them is better, and give both scores.',
} as const;

/** The angle of a judge without roles. */
const overall = 'overall quality';
/** Attempts that one replicate may take up in the numbering of samples. */
const attemptsPerReplicate = 64;
/** Alternatives that are asked for with each token: what servers list at most. */
const listedAlternatives = 20;
const nothing = '(none)';

/** The request that puts a question. */
export function judgeRequest(
  question: JudgeQuestion,
  { judge, seed }: Pick<WidedeepConfig, 'judge' | 'seed'>,
  { attempt, maxTokens, reminder }: Retry,
): ChatRequest {
  const { family, replicate } = question;
  const form = forms[judge.format === 'json' ? 'json' : judge.explanation];
  const added = reminder === null ? '' : `\n\n${reminders[reminder]}`;
  return {
    messages: messagesOf(family, `${contentOf(question)}\n\n${form}${added}`, judge.system),
    temperature: judge.temperature,
    topP: judge.topP,
    maxTokens,
    sample: replicate * attemptsPerReplicate + attempt,
    seed: seed ?? undefined,
    topLogprobs: judge.scores === 'weighted' ? listedAlternatives : undefined,
    tag: question.history === null ? 'layer-1' : 'deeper',
  };
}

function contentOf({ sample, family, order, roles, history }: JudgeQuestion): string {
  const isForward = order === '12';
  const values = {
    question: sample.question,
    answer1: isForward ? sample.answer1 : sample.answer2,
    answer2: isForward ? sample.answer2 : sample.answer1,
    role: roles.length === 0 ? overall : roles.join(', '),
  };
  if (history === null) return family.first.fill(values);
  const own = reviewList(history.own);
  return family.deeper.fill(Object.assign(values, { own, others: reviewList(history.others) }));
}

function reviewList(reviews: readonly string[]): string {
  if (reviews.length === 0) return nothing;
  return reviews.map((text, at) => `Evaluation no. ${at + 1}\n${text}`).join('\n\n');
}
