/**
 * What an ablation costs beside refusals: accuracy on tasks, and perplexity of a text.
 */
import { ConfigError, DataError, type Logger } from '@lab/core';
import { mcNemar, type McNemarResult } from '@lab/metrics';
import type { Model, Tokenizer } from '@lab/transformer';
import { clusteredShare, type ShareEstimate } from './attack-success.js';
import { type LogprobOptions, type ScoredRow, tokenLogprobs } from './utility/token-logprobs.js';
import type { TaskItem } from './utility/tasks.js';

/** How a model is evaluated. */
export interface EvaluateOptions extends LogprobOptions {
  /**
   * Whether texts begin with the token that begins texts; default false, as the harness does it.
   */
  readonly beginToken?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/** Accuracy on a task, with 95 % intervals. */
export interface TaskAccuracy {
  readonly n: number;
  /** Highest sum of log-probabilities. */
  readonly accuracy: ShareEstimate;
  /** Highest sum over bytes of the option. */
  readonly normalised: ShareEstimate;
  /** By question: whether each is right. */
  readonly items: readonly ItemAnswer[];
}

/** What the model takes for right. */
export interface ItemAnswer {
  readonly id: string;
  readonly chosen: number;
  readonly isRight: boolean;
  readonly isRightNormalised: boolean;
}

type Loaded = { readonly model: Model; readonly tokenizer: Tokenizer };

/**
 * Zero-shot accuracy: each option's tokens are scored given the context, and the option with the
 * highest sum of log-probabilities is the answer (`acc`), or the highest over its bytes
 * (`acc_norm`).
 *
 * Source: EleutherAI, lm-evaluation-harness 0.4, multiple choice: context and option are encoded
 * together, spaces at the end of a context belong to the option, texts without special tokens.
 * Deviation: `normalised` divides by bytes; the harness counts characters.
 *
 * @param items - from `readTask`.
 */
export async function evaluateTask(
  { model, tokenizer }: Loaded,
  items: readonly TaskItem[],
  { beginToken = false, logger, ...options }: EvaluateOptions = {},
): Promise<TaskAccuracy> {
  const most = model.architecture.contextTokens;
  let cut = 0;
  const rows = items.flatMap(({ contexts, continuations }) =>
    continuations.map((continuation, at) => {
      const row = pairRow(tokenizer, contexts[at] ?? contexts[0]!, { continuation, beginToken });
      // One token more than is read: the last one is only predicted.
      if (most === null || row.ids.length <= most + 1) return row;
      cut += 1;
      return shortened(row, most + 1);
    }),
  );
  if (cut > 0) logger?.warn(`${cut} options are longer than the context: cut on the left.`);
  const scores = await tokenLogprobs(model, rows, options);
  let at = 0;
  const answers = items.map((item): ItemAnswer => {
    const sums = item.continuations.map(() => scores[at++]!.reduce((sum, value) => sum + value, 0));
    const chosen = largest(sums);
    const byBytes = largest(sums.map((sum, place) => sum / Math.max(item.bytes[place]!, 1)));
    return {
      id: item.id,
      chosen,
      isRight: chosen === item.answer,
      isRightNormalised: byBytes === item.answer,
    };
  });
  const share = (isRight: (answer: ItemAnswer) => boolean) =>
    clusteredShare(
      answers.map((answer, id) => ({ id: String(id), value: isRight(answer) ? 1 : 0 })),
    );
  return {
    n: items.length,
    accuracy: share(({ isRight }) => isRight),
    normalised: share(({ isRightNormalised }) => isRightNormalised),
    items: answers,
  };
}

/** Whether two evaluations of the same questions differ (McNemar's exact test). */
export const accuracyChange = (before: TaskAccuracy, after: TaskAccuracy): McNemarResult =>
  mcNemar(
    before.items.map(({ isRight }) => isRight),
    after.items.map(({ isRight }) => isRight),
  );

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** Ids of a context with what continues it; tokens of the continuation are scored. */
function pairRow(
  tokenizer: Tokenizer,
  context: string,
  { continuation, beginToken }: { readonly continuation: string; readonly beginToken: boolean },
): ScoredRow {
  const trimmed = context.trimEnd();
  const rest = `${context.slice(trimmed.length)}${continuation}`;
  const plain = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const [before, whole] = [trimmed === '' ? [] : plain(trimmed), plain(`${trimmed}${rest}`)];
  const needsBegin = beginToken || before.length === 0;
  const begin = needsBegin ? [beginId(tokenizer)] : [];
  return { ids: [...begin, ...whole], from: begin.length + before.length };
}

function beginId({ beginId: begin, endId }: Tokenizer): number {
  const id = begin ?? endId;
  if (id !== null) return id;
  throw new ConfigError('sahara/utility: the tokenizer has no token that begins a text.', {
    help: 'Leave beginToken out, and give contexts that are not empty.',
  });
}

function shortened({ ids, from }: ScoredRow, length: number): ScoredRow {
  const taken = ids.length - length;
  return { ids: ids.slice(taken), from: Math.max(from - taken, 1) };
}

/** Perplexity of a text. */
export interface Perplexity {
  /** `exp` of the mean negative log-probability of a token. */
  readonly perplexity: number;
  /** Natural; mean over tokens. */
  readonly nats: number;
  /** Bits for each byte of the text: comparable over tokenizers. */
  readonly bitsPerByte: number;
  readonly tokenCount: number;
}

/** How {@link perplexity} reads a text. */
export interface PerplexityOptions extends EvaluateOptions {
  /** Tokens of a window; default those of the model, 1024 at most. */
  readonly windowTokens?: number | undefined;
}

/**
 * Perplexity of a text: `exp(-1/N sum_t log p(x_t | x_<t))`.
 *
 * Longer texts are read in windows that overlap by half: every token is scored once, with at least
 * half a window before it.
 *
 * @throws {DataError} for a text of less than two tokens.
 */
export async function perplexity(
  { model, tokenizer }: Loaded,
  text: string,
  { windowTokens, beginToken = false, logger: _, ...options }: PerplexityOptions = {},
): Promise<Perplexity> {
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  const all = beginToken ? [beginId(tokenizer), ...ids] : ids;
  const most = windowTokens ?? Math.min(model.architecture.contextTokens ?? 1024, 1024);
  if (all.length < 2 || !(Number.isInteger(most) && most >= 2)) {
    throw new DataError(`sahara/utility: a text of ${all.length} tokens in windows of ${most}.`, {
      help: 'Give a text of at least two tokens, and windows of at least two.',
    });
  }
  const rows: ScoredRow[] = [];
  for (let scored = 1; scored < all.length; ) {
    const start = scored === 1 ? 0 : Math.max(0, scored - Math.floor(most / 2));
    const end = Math.min(all.length, start + most + 1);
    rows.push({ ids: all.slice(start, end), from: scored - start });
    scored = end;
  }
  const found = await tokenLogprobs(model, rows, options);
  const [tokenCount, sum] = found.reduce(
    ([count, total], values) => [
      count + values.length,
      total + values.reduce((inner, value) => inner + value, 0),
    ],
    [0, 0],
  );
  const nats = -sum / tokenCount;
  return {
    perplexity: Math.exp(nats),
    nats,
    bitsPerByte: -sum / Math.LN2 / Buffer.byteLength(text),
    tokenCount,
  };
}
