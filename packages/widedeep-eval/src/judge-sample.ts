/**
 * One sample through a network: roles, layers, verdict.
 */
import type { LlmClient } from '@lab/llm';
import { aggregate, conflictRateOf } from './aggregate.js';
import type { WidedeepConfig } from './config.js';
import { type Families, familyOf } from './families/load-families.js';
import { differenceOf, reviewsOf } from './judgement.js';
import type { Aggregates, Judgement, Layer, SampleFlag } from './judgement.js';
import { characterCount } from './floors.js';
import { createJury } from './jury.js';
import { runNetwork } from './network.js';
import { generateRoles, type GeneratedRoles } from './roles.js';
import type { Sample } from './sample.js';
import { fitSample, flagsOf } from './sample-checks.js';
import { type Verdict, verdictOf } from './verdict.js';

/** What {@link judgeSample} works with. */
export interface JudgeSampleOptions {
  readonly config: WidedeepConfig;
  readonly families: Families;
  /** Names the roles, and judges where the network has one model. */
  readonly client: LlmClient;
  /** Further models by the names of `jury.models`. */
  readonly clients?: Readonly<Record<string, LlmClient>> | undefined;
}

/**
 * What a network says of a pair of answers.
 *
 * @throws {LlmFailure} when the server fails, or the pair does not fit into the context.
 * @throws {ConfigError} for a family that there is not.
 */
export async function judgeSample(
  sample: Sample,
  { config, families, client, clients = {} }: JudgeSampleOptions,
): Promise<Judgement> {
  const flags = flagsOf(sample);
  if (config.judge.kind !== 'model') {
    return judgedAtOnce(sample, { verdict: ruleVerdict(sample, config.judge.kind), flags });
  }
  if (config.data.shortcutIdentical && flags.includes('identical-answers')) {
    return judgedAtOnce(sample, { verdict: 'tie', flags });
  }
  const family = familyOf(families, sample.family);
  const fitted = await fitSample(sample, { config, reviews: mostReviews(config) });
  if (fitted.isCut) flags.push('truncated');
  const generated = await generateRoles(fitted.sample, { client, family, config });
  if (generated.isCapped) flags.push('roles-capped');
  const { layers, stoppedAfter } = await runNetwork(fitted.sample, {
    family,
    roles: generated.roles.map(({ name }) => name),
    jury: createJury(config, client, clients),
    config,
  });
  if (config.judge.scores === 'weighted' && hasWrittenScores(layers)) {
    flags.push('scores-as-written');
  }
  const { aggregates, verdict } = aggregate(layers, {
    ...config.aggregation,
    failed: config.judge.failed,
  });
  return {
    ...headOf(sample),
    ...{ verdict, aggregates, conflictRate: conflictRateOf(layers) },
    ...{ roles: generated.roles as GeneratedRoles['roles'], layers },
    ...(stoppedAfter === undefined ? {} : { stoppedAfter }),
    flags,
    ...systemsOf(sample),
  };
}

/** Whether the probabilities of some scores could not be told. */
function hasWrittenScores(layers: readonly Layer[]): boolean {
  const reviews = layers.flatMap(({ neurons }) => neurons.flatMap(reviewsOf));
  return reviews.some((review) => differenceOf(review) !== null && review.written === undefined);
}

const headOf = ({ dataset, family, gold, answer1, answer2 }: Sample) => ({
  ...{ dataset, family, gold },
  lengths: [characterCount(answer1), characterCount(answer2)] as const,
});

function systemsOf({ system1, system2 }: Sample): Pick<Judgement, 'system1' | 'system2'> {
  return system1 === undefined || system2 === undefined ? {} : { system1, system2 };
}

/** What is kept of a pair that could not be judged: all but a verdict. */
export function unjudged(sample: Sample): Judgement {
  return judgedAtOnce(sample, { verdict: null, flags: flagsOf(sample) });
}

/** A judgement without a call. */
function judgedAtOnce(
  sample: Sample,
  { verdict, flags }: { readonly verdict: Verdict | null; readonly flags: readonly SampleFlag[] },
): Judgement {
  const aggregates: Aggregates = {
    voteLast: verdict,
    voteAll: verdict,
    avgLast: null,
    avgAll: null,
  };
  const none = { conflictRate: null, roles: [], layers: [] };
  return { ...headOf(sample), verdict, aggregates, ...none, flags, ...systemsOf(sample) };
}

/**
 * The verdict of a rule: always the same answer, or the one with more characters (equal lengths are
 * a tie).
 */
export function ruleVerdict(
  { answer1, answer2 }: Pick<Sample, 'answer1' | 'answer2'>,
  kind: 'always-1' | 'always-2' | 'longer',
): Verdict {
  if (kind === 'longer') return verdictOf(characterCount(answer1) - characterCount(answer2));
  return kind === 'always-1' ? '1' : '2';
}

/** Reviews that a judge of a deeper layer reads at most. */
function mostReviews({ network, roles }: WidedeepConfig): number {
  if (network.layers === 1) return 0;
  const generated = roles.kind === 'limited' ? 2 : (roles.max ?? uncappedRoles);
  const n = roles.kind === 'none' ? network.width : Math.max(generated, roles.library.length);
  const connected = network.connectivity === 'full' ? n : Math.min(n, 2 * network.window + 1);
  return connected * (network.bothOrders ? 2 : 1);
}

/** Where nothing limits them, models name about so many angles. */
const uncappedRoles = 8;
