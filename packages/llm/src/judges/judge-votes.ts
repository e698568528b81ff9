import { ConfigError } from '@lab/core';
import type { z } from 'zod';
import type { ChatMessage, ChatRequest, JsonResult } from '../chat.js';
import type { LlmClient } from '../llm-client.js';

/** Settings of judges. */
export interface JudgeOptions {
  /**
   * Judgements per sample, of which the most frequent verdict counts; default 1, at temperature 0.
   * Several are drawn at temperature 0.7.
   */
  readonly votes?: number;
  /** Tokens of a judgement at most; default 1024. */
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
}

/** One judgement: why, and what. */
export interface Judgement<Verdict extends string> {
  readonly reason: string;
  readonly verdict: Verdict;
}

/** What the votes come to. */
export interface VotedJudgement<Verdict extends string, Vote extends Judgement<Verdict>> {
  /** The most frequent verdict; among equals the one that stands first in the judge's list. */
  readonly verdict: Verdict;
  /** Share of the votes for it. */
  readonly agreement: number;
  readonly votes: readonly JsonResult<Vote>[];
}

/** Temperature at which several votes are drawn. */
const votingTemperature = 0.7;

/**
 * The judgement on one conversation, by one or several votes.
 *
 * @param verdicts - all verdicts, the gravest first.
 * @throws {LlmFailure} where a vote fails.
 */
export async function judgeByVotes<Verdict extends string, Vote extends Judgement<Verdict>>(
  client: LlmClient,
  messages: readonly ChatMessage[],
  { schema, verdicts }: { schema: z.ZodType<Vote>; verdicts: readonly Verdict[] },
  { votes = 1, maxTokens = 1024, signal }: JudgeOptions,
): Promise<VotedJudgement<Verdict, Vote>> {
  if (!Number.isInteger(votes) || votes < 1) {
    throw new ConfigError(`llm/judges: votes is ${votes}.`, {
      help: 'Give a whole number from 1.',
    });
  }
  const request: ChatRequest = { messages, maxTokens, signal };
  const temperature = votes === 1 ? 0 : votingTemperature;
  const given = await Promise.all(
    Array.from({ length: votes }, (_, sample) =>
      client.json({ ...request, temperature, sample }, schema),
    ),
  );
  const countOf = (verdict: Verdict) => given.filter(({ json }) => json.verdict === verdict).length;
  const verdict = verdicts.reduce((best, next) => (countOf(next) > countOf(best) ? next : best));
  return { verdict, agreement: countOf(verdict) / votes, votes: given };
}
