/**
 * Odd samples: empty, equal or very long answers, and answers that speak to the judge.
 */
import { countTokens, LlmFailure } from '@lab/llm';
import type { WidedeepConfig } from './config.js';
import type { SampleFlag } from './judgement.js';
import type { Sample } from './sample.js';

const injections = new RegExp(
  '\\b(?:give|assign|award|rate|score) (?:me|this|it|assistant [12]|the (?:first|second))' +
    '[^.\\n]{0,40}\\b(?:10|ten|highest|full|top|maximum)\\b|' +
    '\\bignore (?:all |any |the )?(?:previous|prior|above|other) (?:instructions|prompts?|text)|' +
    '\\bscore of assistant [12]\\s*:|\\bdear (?:judge|evaluator|grader)\\b|' +
    '\\byou are (?:now )?(?:a|the) (?:judge|grader|evaluator)\\b',
  'iu',
);

/** What is odd about the texts of a sample. */
export function flagsOf({ answer1, answer2 }: Sample): SampleFlag[] {
  const flags: SampleFlag[] = [];
  const [first, second] = [answer1.trim(), answer2.trim()];
  if (first === '' || second === '') flags.push('empty-answer');
  if (first === second) flags.push('identical-answers');
  if (injections.test(answer1) || injections.test(answer2)) flags.push('injection-suspect');
  return flags;
}

/** Tokens of prompts besides the sample: instructions, names of roles. */
const promptTokens = 500;

/** A sample that fits, and whether it had to be cut. */
export interface FittedSample {
  readonly sample: Sample;
  readonly isCut: boolean;
}

/** What {@link fitSample} goes by. */
export interface FitOptions {
  readonly config: Pick<WidedeepConfig, 'data' | 'judge' | 'network'>;
  /** Reviews that a judge of a deeper layer reads. */
  readonly reviews: number;
}

/**
 * The sample as it fits into the context of the model, with room for instructions, reviews and the
 * answer: both answers are cut at their ends, to the same length at most; the question stays whole.
 *
 * @throws {LlmFailure} of kind `context-length` where it does not fit and must not be cut, or the
 *   question alone does not fit.
 */
export async function fitSample(
  sample: Sample,
  { config, reviews }: FitOptions,
): Promise<FittedSample> {
  const { contextTokens, truncate } = config.data;
  if (contextTokens === null) return { sample, isCut: false };
  const { maxTokens } = config.judge;
  const room = contextTokens - promptTokens - maxTokens * (1 + reviews);
  const question = await countTokens(sample.question);
  const first = await countTokens(sample.answer1);
  const second = await countTokens(sample.answer2);
  if (question + first + second <= room) return { sample, isCut: false };
  const left = room - question;
  if (!truncate || left < 2 * leastTokens) {
    throw new LlmFailure(
      `widedeep-eval: sample ${JSON.stringify(sample.id)} takes about ` +
        `${question + first + second} tokens, and there is room for ${Math.max(0, room)}.`,
      { kind: 'context-length', isRetryable: false, attempts: 0 },
    );
  }
  const share = shareOf(left, first, second);
  const [answer1, answer2] = [
    cutTo(sample.answer1, first, share),
    cutTo(sample.answer2, second, share),
  ];
  return { sample: { ...sample, answer1, answer2 }, isCut: true };
}

/** Fewer tokens of an answer say nothing. */
const leastTokens = 32;

/** Tokens that each answer may have, so that both together take what is left. */
function shareOf(left: number, first: number, second: number): number {
  const [short, long] = [Math.min(first, second), Math.max(first, second)];
  return short + long <= left ? long : Math.max(left / 2, left - short);
}

/** The beginning of a text, by its mean length of a token. */
function cutTo(text: string, tokens: number, most: number): string {
  if (tokens <= most) return text;
  const characters = Math.floor((text.length * most) / tokens);
  return text.slice(0, characters).replace(/[\ud800-\udbff]$/u, '');
}
