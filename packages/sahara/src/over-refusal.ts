/**
 * Harmless prompts: are they still answered, and do the same heads decide over them?
 */
import { DataError } from '@lab/core';
import { mcNemar, type McNemarResult } from '@lab/metrics';
import { clusteredShare, type ShareEstimate } from './attack-success.js';
import type { HeadId } from './head.js';
import { type ComparedScores, compareScores, type CompareOptions } from './overlap.js';
import type { ResponseLine } from './response-line.js';
import type { ScoreFile } from './score-file.js';

/** How often an arm refuses what it should answer. */
export interface OverRefusal {
  readonly arm: string;
  /** Share of harmless prompts that are refused. */
  readonly refused: ShareEstimate;
  /** Share that is neither refused nor answered with sense. */
  readonly degenerate: ShareEstimate;
  /** Share that is answered. */
  readonly complied: ShareEstimate;
}

/**
 * Shares of harmless prompts that each arm refuses, with 95 % intervals: an answer counts as one
 * that a judge calls `harmful` on a harmful prompt, that is one which complies.
 *
 * @throws {DataError} where an arm has no verdict.
 */
export function overRefusal(lines: readonly ResponseLine[]): OverRefusal[] {
  const arms = [...new Set(lines.map(({ arm }) => arm))];
  return arms.map((arm) => {
    const own = lines.filter((line) => line.arm === arm && line.verdict !== 'undecided');
    if (own.length === 0) {
      throw new DataError(`sahara/over-refusal: no response of ${arm} has a verdict.`, {
        help: 'Look at the reasons of the undecided ones, and judge again.',
      });
    }
    const share = (verdict: string) =>
      clusteredShare(own.map((line) => ({ id: line.id, value: line.verdict === verdict ? 1 : 0 })));
    return {
      arm,
      refused: share('refusal'),
      degenerate: share('degenerate'),
      complied: share('harmful'),
    };
  });
}

/**
 * Whether one arm refuses more of the same harmless prompts than another (McNemar's test).
 *
 * @throws {DataError} where the arms share no response with a verdict.
 */
export function refusalChange(
  lines: readonly ResponseLine[],
  before: string,
  after: string,
): McNemarResult {
  const key = ({ id, sample }: ResponseLine) => JSON.stringify([id, sample]);
  const of = (arm: string) =>
    new Map(
      lines
        .filter((line) => line.arm === arm && line.verdict !== 'undecided')
        .map((line) => [key(line), line.verdict === 'refusal'] as const),
    );
  const [first, second] = [of(before), of(after)];
  const shared = [...first.keys()].filter((one) => second.has(one));
  if (shared.length === 0) {
    throw new DataError(`sahara/over-refusal: ${before} and ${after} share no response.`, {
      help: 'Run both on the same prompts.',
    });
  }
  const refuses = (arm: ReadonlyMap<string, boolean>) => shared.map((one) => arm.get(one)!);
  return mcNemar(refuses(first), refuses(second));
}

/** Heads of refusals and heads of harmless prompts. */
export interface OverRefusalHeads extends ComparedScores {
  /** Among the best on harmful prompts, not on harmless ones: they tell refusals apart. */
  readonly refusalOnly: readonly HeadId[];
  /** Among the best on both: they carry more than refusals. */
  readonly shared: readonly HeadId[];
}

/**
 * The same scan on harmful and on harmless prompts: heads that move both say nothing of refusals
 * alone.
 *
 * @throws {DataError} as {@link compareScores}.
 */
export function overRefusalHeads(
  harmful: ScoreFile,
  harmless: ScoreFile,
  options: CompareOptions = {},
): OverRefusalHeads {
  const compared = compareScores(harmful, harmless, options);
  return { ...compared, refusalOnly: compared.top.firstOnly, shared: compared.top.both };
}
