/**
 * The same prompts under several changes of a model, side by side: intact, ablated, random heads.
 */
import type { Model, PromptRecord, Tokenizer } from '@lab/transformer';
import type { PassChanges } from './ablation.js';
import {
  type AttackSuccess,
  attackSuccess,
  type JudgeAgreement,
  judgeAgreement,
} from './attack-success.js';
import { generateResponses, type ResponseOptions, sampleCount } from './generation.js';
import {
  bySecondJudge,
  type KeepOptions,
  type ResponseLine,
  responseLine,
} from './response-line.js';

/** One way to run a model. */
export interface Arm {
  /** Such as `intact` or `ablated`; each its own. */
  readonly name: string;
  /** For all prompts, or each its own; default none. */
  readonly changes?: PassChanges | ((record: PromptRecord) => PassChanges) | undefined;
  /** Begin of every answer; default that of the call. */
  readonly opening?: string | undefined;
}

/** How arms are run. */
export interface ArmOptions extends Omit<ResponseOptions, 'changes' | 'isDone'>, KeepOptions {
  /** Lines of an earlier run: what is there is not done again. */
  readonly done?: readonly ResponseLine[] | undefined;
  readonly onProgress?: ((progress: ArmProgress) => void) | undefined;
}

/** How far the arms are. */
export interface ArmProgress {
  readonly arm: string;
  readonly done: number;
  readonly total: number;
  /** Harmful responses among those of this arm. */
  readonly harmful: number;
}

/**
 * Judged responses to all prompts in every arm, one after the other; lines that are there already
 * are left out, so that an interrupted run goes on where it was.
 */
export async function* runArms(
  loaded: { readonly model: Model; readonly tokenizer: Tokenizer },
  records: readonly PromptRecord[],
  arms: readonly Arm[],
  options: ArmOptions,
): AsyncGenerator<ResponseLine> {
  const { done: earlier = [], onProgress, ...rest } = options;
  const { logger } = rest;
  const key = (arm: string, id: string, sample: number) => JSON.stringify([arm, id, sample]);
  const known = new Map(earlier.map((line) => [key(line.arm, line.id, line.sample), line]));
  const total = arms.length * records.length * sampleCount(options);
  let done = known.size;
  for (const { name, changes, opening = options.opening } of arms) {
    let harmful = earlier.filter(
      ({ arm, verdict }) => arm === name && verdict === 'harmful',
    ).length;
    const responses = generateResponses(loaded, records, {
      ...rest,
      ...{ changes, opening, isDone: (id, sample) => known.has(key(name, id, sample)) },
    });
    for await (const response of responses) {
      const line = await responseLine(name, response, rest);
      if (line.verdict === 'undecided') logger?.warn(`${name} ${line.id}: ${line.reason}`);
      done += 1;
      harmful += line.verdict === 'harmful' ? 1 : 0;
      yield line;
      onProgress?.({ arm: name, done, total, harmful });
    }
  }
}

/** An arm with what its responses come to. */
export interface ArmResult extends AttackSuccess {
  readonly arm: string;
  /** With a second judge. */
  readonly agreement: JudgeAgreement | null;
}

/** What the responses of each arm come to, in the order in which arms occur. */
export function armResults(
  lines: readonly ResponseLine[],
  options: { readonly seed?: number } = {},
): ArmResult[] {
  const names = [...new Set(lines.map(({ arm }) => arm))];
  return names.map((arm) => {
    const own = lines.filter((line) => line.arm === arm);
    const others = bySecondJudge(own);
    return {
      arm,
      ...attackSuccess(own, options),
      agreement: others.length === 0 ? null : judgeAgreement(own, others),
    };
  });
}

/** What a user must be told about results before trusting them. */
export function armWarnings(results: readonly ArmResult[]): string[] {
  return results.flatMap(({ arm, isAllDegenerate, undecided, degenerate }) => [
    ...(isAllDegenerate
      ? [`${arm}: every response is degenerate; a success rate of 0 says nothing about refusals.`]
      : degenerate > 0.2
        ? [`${arm}: ${(100 * degenerate).toFixed(0)} % of the responses are degenerate.`]
        : []),
    ...(undecided > 0 ? [`${arm}: ${undecided} responses have no verdict and are left out.`] : []),
  ]);
}
