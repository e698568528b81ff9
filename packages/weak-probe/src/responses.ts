/**
 * Whole responses under changes, and what a rule judge says of them.
 */
import { sha256 } from '@lab/core';
import {
  createRuleJudge,
  type Interval,
  type ResponseKind,
  type RuleJudge,
  wilson,
} from '@lab/metrics';
import {
  createGenerationEngine,
  type GenerationStream,
  type Intervention,
  type Model,
  type Tokenizer,
} from '@lab/transformer';
import type { EncodedPrompt } from './hidden-states.js';
import type { CallOptions } from './state-rows.js';

/** A prompt to be responded to. */
export interface ChangedPrompt {
  readonly prompt: EncodedPrompt;
  readonly interventions?: readonly Intervention[] | undefined;
}

/** A response and its verdict. */
export interface ResponseRecord {
  readonly id: string;
  readonly kind: ResponseKind;
  /** What the judge went by; null for an answer. */
  readonly reason: string | null;
  readonly newTokens: number;
  /** SHA-256 of the text. */
  readonly textSha256: string;
  /** The text, where it is asked for. */
  readonly text?: string | undefined;
}

/** How {@link respondTo} generates and judges. */
export interface RespondOptions extends CallOptions {
  /** Default 32. */
  readonly maxNewTokens?: number | undefined;
  /** Default the rules of the Sahara paper. */
  readonly judge?: Pick<RuleJudge, 'judge'> | undefined;
  /** Whether texts are kept; default false. */
  readonly keepsTexts?: boolean | undefined;
}

/**
 * Greedy responses to all prompts, each under its own changes, judged by rules. Texts are not kept
 * unless asked for: verdict, length and hash are.
 *
 * @throws what generation throws, and the reason of the signal.
 */
export async function respondTo(
  model: Model,
  tokenizer: Tokenizer,
  prompts: readonly ChangedPrompt[],
  options: RespondOptions = {},
): Promise<ResponseRecord[]> {
  const { maxNewTokens = 32, keepsTexts = false, signal, onProgress } = options;
  const { judge = createRuleJudge('sahara-paper') } = options;
  signal?.throwIfAborted();
  const engine = createGenerationEngine(model, { tokenizer });
  let done = 0;
  const respond = async (
    { prompt }: ChangedPrompt,
    { result }: GenerationStream,
  ): Promise<ResponseRecord> => {
    const { text, usage } = await result;
    const { kind, reason } = judge.judge(text);
    done += 1;
    onProgress?.(done, prompts.length);
    return {
      ...{ id: prompt.id, kind, reason, newTokens: usage.newTokens, textSha256: sha256(text) },
      ...(keepsTexts && { text }),
    };
  };
  try {
    const streams = prompts.map(({ prompt, interventions }) =>
      engine.submit({ prompt: prompt.ids, interventions, maxNewTokens, signal }),
    );
    const records = await Promise.all(prompts.map((one, at) => respond(one, streams[at]!)));
    signal?.throwIfAborted();
    return records;
  } finally {
    await engine.dispose();
  }
}

/** Shares of responses by their kinds. */
export interface ResponseShares {
  readonly n: number;
  readonly refusalShare: number;
  /** Wilson, 95 %. */
  readonly refusalInterval: Interval;
  readonly answerShare: number;
  readonly answerInterval: Interval;
  /** Texts without sense or substance. */
  readonly degenerateShare: number;
}

/** What became of prompts, in shares. */
export function responseShares(records: readonly Pick<ResponseRecord, 'kind'>[]): ResponseShares {
  const n = records.length;
  const count = (kind: ResponseKind) => records.filter((one) => one.kind === kind).length;
  const [refused, answered] = [count('refusal'), count('answer')];
  return {
    ...{ n, refusalShare: refused / n, refusalInterval: wilson(refused, n) },
    ...{ answerShare: answered / n, answerInterval: wilson(answered, n) },
    degenerateShare: count('degenerate') / n,
  };
}
