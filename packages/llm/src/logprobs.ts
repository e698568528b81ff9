import { ConfigError } from '@lab/core';
import type { ChatRequest, ChatResult, TokenLogprob } from './chat.js';
import { findLabel, foldLabel } from './labels.js';
import type { LlmClient } from './llm-client.js';

/** How likely each label is. */
export interface LabelDistribution {
  /** By label; they sum to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Probability of everything that is no label, before the others were scaled to 1. */
  readonly outside: number;
  readonly source: 'logprobs' | 'samples';
}

/** Settings of {@link labelProbabilities}. */
export interface LabelOptions {
  /** Text behind which the label stands, such as `Verdict:`. */
  readonly after?: string;
}

/**
 * How likely each label is at the place of an answer where one stands, by the alternatives that
 * the server lists there; null where they do not tell the labels apart.
 *
 * `p(l) = sum over tokens t that mean l of exp(logprob t)`, divided by the sum over all labels.
 * Tokens that differ in case, blanks and punctuation around the label mean the same. Of a label of
 * several tokens the first one counts where no other label begins with it. The place is that of the
 * last label in the text.
 *
 * @param tokens - those of the whole answer, in order.
 * @throws {ConfigError} for fewer than two labels, or two that differ in case alone.
 */
export function labelProbabilities(
  tokens: readonly TokenLogprob[],
  labels: readonly string[],
  { after }: LabelOptions = {},
): LabelDistribution | null {
  assertLabels(labels);
  const place = findPlace(tokens, labels, after);
  if (!place) return null;
  const masses = new Map(labels.map((label) => [label, 0]));
  const alternatives = alternativesOf(place);
  const folded = labels.map(foldLabel);
  const whole = new Set(alternatives.map(({ token }) => bare(token)));
  for (const { token, logprob } of alternatives) {
    const meaning = meaningOf(bare(token), folded, whole);
    if (meaning === 'ambiguous') return null;
    if (meaning === 'other') continue;
    const label = labels[meaning]!;
    masses.set(label, masses.get(label)! + Math.exp(logprob));
  }
  return distribution(masses, 1, 'logprobs');
}

/**
 * The mean of the scores that a judge may give, weighted by their probabilities; null as for
 * {@link labelProbabilities}.
 *
 * `score = sum_i p(s_i) s_i`. Source: Liu et al. 2023, G-Eval, section 2.
 *
 * @param scores - all that may be given, such as `[1, 2, 3, 4, 5]`.
 */
export function weightedScore(
  tokens: readonly TokenLogprob[],
  scores: readonly number[],
  options: LabelOptions = {},
): { readonly score: number; readonly outside: number } | null {
  const found = labelProbabilities(tokens, scores.map(String), options);
  return found && { score: meanScore(found), outside: found.outside };
}

/** The mean of labels that are numbers, by their probabilities. */
export function meanScore({ probabilities }: LabelDistribution): number {
  let score = 0;
  for (const [label, share] of Object.entries(probabilities)) score += share * Number(label);
  return score;
}

/**
 * The shares of labels among answers to one question; `outside` is the share without a label, and
 * null comes back where none has one.
 */
export function labelShares(
  answers: readonly string[],
  labels: readonly string[],
  { after }: LabelOptions = {},
): LabelDistribution | null {
  assertLabels(labels);
  const masses = new Map(labels.map((label) => [label, 0]));
  for (const answer of answers) {
    const found = findLabel(answer, labels, after);
    if (found) masses.set(found.label, masses.get(found.label)! + 1);
  }
  return distribution(masses, answers.length, 'samples');
}

/** Settings of {@link askForLabel}. */
export interface AskForLabelOptions extends LabelOptions {
  /** Answers that are drawn where logprobs do not tell; default 10. */
  readonly samples?: number;
}

/** A distribution and the answers behind it. */
export interface AskedLabel {
  /** Null where no answer has a label. */
  readonly distribution: LabelDistribution | null;
  readonly results: readonly ChatResult[];
}

/** What servers list at most, OpenAI's among them. */
const mostAlternatives = 20;

/**
 * How likely each label is as the answer to a request: by logprobs of one answer, else by the
 * shares among answers drawn at temperature 1.
 */
export async function askForLabel(
  client: Pick<LlmClient, 'capabilities' | 'chat'>,
  request: ChatRequest,
  labels: readonly string[],
  { after, samples = 10 }: AskForLabelOptions = {},
): Promise<AskedLabel> {
  const options = after === undefined ? {} : { after };
  const first = await askWithLogprobs(client, request);
  const known = first?.logprobs && labelProbabilities(first.logprobs, labels, options);
  if (first && known) return { distribution: known, results: [first] };
  const { sample = 0 } = request;
  const drawn = await Promise.all(
    Array.from({ length: samples }, (_, index) =>
      client.chat({ ...request, temperature: 1, sample: sample * samples + index }),
    ),
  );
  const texts = drawn.map(({ text }) => text);
  return {
    distribution: labelShares(texts, labels, options),
    results: first ? [first, ...drawn] : drawn,
  };
}

/** One answer with as many alternatives as the server lists; null where it lists none. */
async function askWithLogprobs(
  client: Pick<LlmClient, 'capabilities' | 'chat'>,
  request: ChatRequest,
): Promise<ChatResult | null> {
  const { topLogprobs = mostAlternatives } = client.capabilities ?? {};
  return topLogprobs === 0 ? null : client.chat({ topLogprobs, ...request });
}

function assertLabels(labels: readonly string[]): void {
  const folded = new Set(labels.map(foldLabel));
  if (labels.length >= 2 && folded.size === labels.length && !folded.has('')) return;
  throw new ConfigError(`llm/logprobs: the labels ${labels.join(', ')} are not told apart.`, {
    help: 'Give two labels at least that differ in more than case and blanks.',
  });
}

/** The token in which the last label of the text begins. */
function findPlace(
  tokens: readonly TokenLogprob[],
  labels: readonly string[],
  after: string | undefined,
): TokenLogprob | undefined {
  const found = findLabel(tokens.map(({ token }) => token).join(''), labels, after);
  if (!found) return undefined;
  let end = 0;
  return tokens.find(({ token }) => {
    end += token.length;
    return end > found.index;
  });
}

function alternativesOf({ token, logprob, top }: TokenLogprob): TokenLogprob['top'] {
  return top.some((item) => item.token === token) ? top : [...top, { token, logprob }];
}

/** A token without what may stand around a label: blanks, quotes, brackets, stops. */
function bare(token: string): string {
  return token.replaceAll(/^[\s"'`*([{:]+|[\s"'`*)\]},.;:]+$/g, '').toLowerCase();
}

/**
 * Index of the label that a token means. One that ends there may go on as a longer label, unless
 * that one is a token by itself.
 */
function meaningOf(
  token: string,
  labels: readonly string[],
  whole: ReadonlySet<string>,
): number | 'ambiguous' | 'other' {
  if (token === '') return 'other';
  const begun = labels.flatMap((label, index) => (label.startsWith(token) ? [index] : []));
  if (begun.length === 0) return 'other';
  const exact = labels.indexOf(token);
  const longer = begun.filter((index) => index !== exact && !whole.has(labels[index]!));
  if (exact >= 0) return longer.length === 0 ? exact : 'ambiguous';
  return begun.length === 1 ? begun[0]! : 'ambiguous';
}

function distribution(
  masses: ReadonlyMap<string, number>,
  total: number,
  source: LabelDistribution['source'],
): LabelDistribution | null {
  let inside = 0;
  for (const mass of masses.values()) inside += mass;
  if (!(inside > 0)) return null;
  const shares = [...masses].map(([label, mass]) => [label, mass / inside] as const);
  return {
    probabilities: Object.fromEntries(shares),
    outside: Math.max(0, 1 - inside / total),
    source,
  };
}
