/**
 * One answer of a judge, asked again while it cannot be read.
 *
 * All judges of a layer are asked in rounds: first all of them, then those whose answers could not
 * be read. So the order of requests hangs on the answers alone, and a run that goes on writes what
 * an undisturbed one would.
 */
import { type ChatResult, type LlmClient, LlmFailure, UnparsedAnswer } from '@lab/llm';
import type { WidedeepConfig } from './config.js';
import type { Order, Review, ReviewProblem } from './judgement.js';
import { type JudgeQuestion, judgeRequest, type Retry, verdictSchema } from './judge-request.js';
import { swapLabels } from './position.js';
import { looksLikeRefusal } from './refusal.js';
import { type AnswerForm, parseScores } from './scores.js';
import { weightedScores } from './weighted-scores.js';

/** A question, and who answers it. */
export interface Asked {
  readonly question: JudgeQuestion;
  readonly client: LlmClient;
}

type JudgeConfig = Pick<WidedeepConfig, 'judge' | 'seed'>;

/** The reviews to questions, in their order. */
export async function askJudges(
  asked: readonly Asked[],
  config: JudgeConfig,
): Promise<readonly Review[]> {
  const reviews: (Review | undefined)[] = asked.map(() => undefined);
  let open = asked.map((one, at) => ({ one, at, retry: firstTry(config) }));
  while (open.length > 0) {
    const answers = await settledAll(open.map(({ one, retry }) => ask(one, config, retry)));
    const next: typeof open = [];
    for (const [place, answer] of answers.entries()) {
      const { one, at, retry } = open[place]!;
      const again = answer.problem === undefined ? null : retryOf(answer, retry, config);
      if (again === null) reviews[at] = answer;
      else next.push({ one, at, retry: again });
    }
    open = next;
  }
  return reviews.map((review) => review!);
}

/** Waits for all, so that no call goes on behind a row that failed; then throws what one threw. */
async function settledAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

interface Retries extends Retry {
  /** Answers so far that could not be read. */
  readonly unparsed: number;
  readonly wasCut: boolean;
  readonly wasRefused: boolean;
}

const firstTry = ({ judge }: JudgeConfig): Retries => ({
  attempt: 0,
  maxTokens: judge.maxTokens,
  reminder: null,
  unparsed: 0,
  wasCut: false,
  wasRefused: false,
});

/** How a judge is asked again; null where it is given up. */
function retryOf({ problem }: Review, retry: Retries, { judge }: JudgeConfig): Retries | null {
  const attempt = retry.attempt + 1;
  if (problem === 'content-filter') return null;
  if (problem === 'refusal') {
    if (retry.wasRefused) return null;
    return { ...retry, attempt, reminder: 'evaluation', wasRefused: true };
  }
  if (problem === 'length' && !retry.wasCut && judge.maxTokensAfterCut > retry.maxTokens) {
    const maxTokens = Math.min(2 * retry.maxTokens, judge.maxTokensAfterCut);
    return { ...retry, attempt, maxTokens, wasCut: true };
  }
  const unparsed = retry.unparsed + 1;
  if (unparsed >= judge.parseAttempts) return null;
  return { ...retry, attempt, unparsed, reminder: 'form' };
}

async function ask(
  { question, client }: Asked,
  config: JudgeConfig,
  retry: Retries,
): Promise<Review> {
  const request = judgeRequest(question, config, retry);
  try {
    if (config.judge.format === 'text') {
      return reviewOfText(await client.chat(request), question, config.judge);
    }
    const result = await client.json(request, verdictSchema);
    const { about1, about2, score1, score2 } = result.json;
    const evidence = `About Assistant 1: ${about1}\nAbout Assistant 2: ${about2}`;
    const scored = withProbabilities({ score1, score2, evidence }, result, config.judge);
    return reviewOf(scored, result, question.order);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null) throw error;
    const { body = '' } = error as LlmFailure;
    const result = error instanceof UnparsedAnswer ? error.result : null;
    return failedReview(result?.text ?? body, problem, result);
  }
}

/** What a failure says of the sample; null for failures of the server. */
function problemOf(error: unknown): ReviewProblem | null {
  if (error instanceof UnparsedAnswer) return error.kind === 'truncated' ? 'length' : 'unparsed';
  if (!(error instanceof LlmFailure)) return null;
  return error.kind === 'refusal' || error.kind === 'content-filter' ? error.kind : null;
}

/** The review that an answer in free text is. */
function reviewOfText(
  result: ChatResult,
  { order, roles }: JudgeQuestion,
  judge: JudgeConfig['judge'],
): Review {
  const { explanation } = judge;
  // One angle alone is what such scores are of; of several, a heading names a part.
  const form = { explanation, angle: roles.length === 1 ? roles[0] : undefined };
  const parsed = parseScores(result.text, form);
  if (parsed.isParsed && !isCutInScore(result, parsed, form)) {
    return reviewOf(withProbabilities(parsed, result, judge), result, order);
  }
  if (result.finish === 'filter') return failedReview(result.text, 'content-filter', result);
  if (result.finish === 'length') return failedReview(result.text, 'length', result);
  const problem = looksLikeRefusal(result.text) ? 'refusal' : 'unparsed';
  return failedReview(result.text, problem, result);
}

/** Whether an answer was cut where another digit would make another score, as in 1 of 10. */
function isCutInScore(
  { text, finish }: ChatResult,
  { score1, score2 }: Pick<Scored, 'score1' | 'score2'>,
  form: AnswerForm,
): boolean {
  if (finish !== 'length') return false;
  const longer = parseScores(`${text}5`, form);
  return !longer.isParsed || longer.score1 !== score1 || longer.score2 !== score2;
}

interface Scored {
  readonly score1: number;
  readonly score2: number;
  readonly evidence: string;
  /** Where the scores are means over what might have been written. */
  readonly weighted?: Pick<Scored, 'score1' | 'score2'> | undefined;
}

/** Scores as they were written, with their means where these are wished and can be told. */
function withProbabilities(
  scored: Scored,
  { logprobs }: ChatResult,
  { scores, format }: JudgeConfig['judge'],
): Scored {
  if (scores === 'written' || logprobs === null) return scored;
  const weighted = weightedScores(logprobs, scored, format) ?? undefined;
  const { score1, score2, evidence } = scored;
  return { score1, score2, evidence, weighted };
}

/** Scores and reasons in terms of the sample's order. */
function reviewOf(scored: Scored, result: ChatResult, order: Order): Review {
  const isForward = order === '12';
  const { evidence, weighted } = scored;
  const inOrder = ({ score1, score2 }: Pick<Scored, 'score1' | 'score2'>) =>
    isForward ? { u: score1, v: score2 } : { u: score2, v: score1 };
  return {
    text: isForward ? evidence : swapLabels(evidence),
    ...inOrder(weighted ?? scored),
    finish: result.finish,
    requestHash: result.requestHash,
    usage: { in: result.usage.prompt, out: result.usage.completion },
    ...(weighted === undefined ? {} : { written: inOrder(scored) }),
  };
}

function failedReview(text: string, problem: ReviewProblem, result: ChatResult | null): Review {
  return {
    text,
    u: null,
    v: null,
    finish: result?.finish ?? null,
    requestHash: result?.requestHash ?? null,
    usage: { in: result?.usage.prompt ?? 0, out: result?.usage.completion ?? 0 },
    problem,
  };
}
