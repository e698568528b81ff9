/**
 * What a run will ask, take and cost, before anything is asked.
 *
 * How many angles a model names is not known before, so a number of them is assumed; the range goes
 * from the least to the most.
 */
import {
  type AnswerStore,
  type ChatRequest,
  type LlmClient,
  type Plan,
  planRows,
  type Range,
  type RunRow,
  type Shard,
  shardOf,
  type TokenUsage,
} from '@lab/llm';
import type { WidedeepConfig } from './config.js';
import { type Families, familyOf } from './families/load-families.js';
import { judgeRequest } from './judge-request.js';
import { createJury } from './jury.js';
import type { Order } from './judgement.js';
import { neighbours, replicateOf } from './network.js';
import { roleRequest } from './roles.js';
import type { Sample } from './sample.js';

/** What a plan needs of a model. */
export type PlannedClient = Pick<LlmClient, 'hashOf' | 'model'>;

/** Settings of {@link planNetwork}. */
export interface PlanNetworkOptions {
  readonly samples: readonly Sample[];
  readonly config: WidedeepConfig;
  readonly families: Families;
  /** Gives requests their names in the cache. */
  readonly client: PlannedClient;
  /** Further models by the names of `jury.models`. */
  readonly clients?: Readonly<Record<string, PlannedClient>> | undefined;
  readonly cache?: Pick<AnswerStore, 'has'> | undefined;
  /** Ids of samples that an earlier process finished. */
  readonly finished?: ReadonlySet<string> | undefined;
  readonly costOf?: ((usage: TokenUsage, model: string) => number | null) | undefined;
  /** Requests at once; default 20. */
  readonly concurrency?: number | undefined;
  readonly shard?: Shard | undefined;
  /** Angles that a model is expected to name; default 5. */
  readonly expectedRoles?: number | undefined;
}

/** What a run will ask. */
export interface NetworkPlan extends Plan {
  /** Samples that are left to judge. */
  readonly samples: number;
  /** Angles that were assumed. */
  readonly roles: number;
  /** Calls for each sample: as assumed, and from the fewest to the most angles. */
  readonly callsPerSample: {
    readonly expected: number;
    readonly low: number;
    readonly high: number;
  };
}

interface PlannedCall extends RunRow {
  readonly client: PlannedClient;
  readonly request: () => ChatRequest;
  /** Whether the request is known as it will be sent, so that the cache can have it. */
  readonly isKnown: boolean;
}

/** The length of a review, tokens, and of a token, characters: for prompts that hold reviews. */
const reviewTokens = 180;
const charactersPerToken = 4;
const defaultRoles = 5;

/**
 * The plan of a run. Prompts of the first layer are counted as they will be sent, but for the names
 * of angles; those of deeper layers with reviews of a usual length.
 */
export async function planNetwork(options: PlanNetworkOptions): Promise<NetworkPlan> {
  const { config, finished, shard, concurrency = 20, expectedRoles = defaultRoles } = options;
  const samples = options.samples.filter(
    ({ id }) =>
      finished?.has(id) !== true &&
      (shard === undefined || shardOf(id, shard.count) === shard.index),
  );
  const roles = assumedRoles(config, expectedRoles);
  const plan = await planOfAll(samples, { ...options, concurrency }, roles);
  return {
    ...plan,
    rows: options.samples.length,
    finished: finished?.size ?? 0,
    samples: samples.length,
    roles,
    callsPerSample: {
      expected: callsOf(config, roles),
      low: callsOf(config, assumedRoles(config, config.roles.min)),
      high: callsOf(config, assumedRoles(config, config.roles.max ?? Math.max(8, expectedRoles))),
    },
  };
}

/** The plans of all models together: each has its own price. */
async function planOfAll(
  samples: readonly Sample[],
  options: PlanNetworkOptions & { readonly concurrency: number },
  roles: number,
): Promise<Plan> {
  const { client, clients = {}, config, cache, costOf, concurrency } = options;
  const members = new Set([client, ...config.jury.models.map((name) => clients[name] ?? client)]);
  const plans: Plan[] = [];
  for (const member of members) {
    plans.push(
      await planRows<PlannedCall>({
        rows: callsTo(member, calls(samples, options, roles)),
        requestOf: ({ request }) => request(),
        cache,
        cacheHashOf: ({ request, isKnown }) => (isKnown ? member.hashOf(request()) : ''),
        costOf: (usage) => costOf?.(usage, member.model) ?? null,
        concurrency,
      }),
    );
  }
  return plans.reduce(planSum);
}

async function* callsTo(
  member: PlannedClient,
  all: AsyncIterable<PlannedCall>,
): AsyncGenerator<PlannedCall> {
  for await (const call of all) if (call.client === member) yield call;
}

function planSum(one: Plan, other: Plan): Plan {
  const range = (first: Range, second: Range): Range => ({
    low: first.low + second.low,
    high: first.high + second.high,
  });
  const isPriced = one.costUsd !== null && other.costUsd !== null;
  return {
    rows: one.rows + other.rows,
    finished: one.finished + other.finished,
    cacheHits: one.cacheHits + other.cacheHits,
    calls: one.calls + other.calls,
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: range(one.completionTokens, other.completionTokens),
    costUsd: isPriced ? range(one.costUsd, other.costUsd) : null,
    seconds: range(one.seconds, other.seconds),
    concurrency: one.concurrency,
  };
}

/** Judges of a layer. */
function assumedRoles({ roles, network, judge }: WidedeepConfig, expected: number): number {
  if (judge.kind !== 'model') return 0;
  if (roles.kind === 'none') return network.width;
  if (roles.kind === 'library') return roles.library.length;
  const most = roles.kind === 'limited' ? 2 : (roles.max ?? Number.POSITIVE_INFINITY);
  return Math.max(Math.min(expected, most), Math.min(roles.min, most));
}

/** Calls of a sample: one for the angles, then judges x orders x layers. */
function callsOf({ roles, network, judge }: WidedeepConfig, n: number): number {
  if (judge.kind !== 'model') return 0;
  const isAsked = roles.kind === 'limited' || roles.kind === 'unlimited';
  return Number(isAsked) + n * (network.bothOrders ? 2 : 1) * network.layers;
}

async function* calls(
  samples: readonly Sample[],
  options: PlanNetworkOptions,
  n: number,
): AsyncGenerator<PlannedCall> {
  if (n === 0) return;
  for (const sample of samples) {
    const isShort = sample.answer1.trim() === sample.answer2.trim();
    if (!(options.config.data.shortcutIdentical && isShort)) yield* callsFor(sample, options, n);
  }
}

function* callsFor(
  sample: Sample,
  { config, families, client, clients = {} }: PlanNetworkOptions,
  n: number,
): Generator<PlannedCall> {
  const { roles, judge } = config;
  const jury = createJury(config, client, clients);
  const family = familyOf(families, sample.family);
  if (roles.kind === 'limited' || roles.kind === 'unlimited') {
    const request = () => roleRequest(sample, { family, config });
    yield { id: `${sample.id}/roles`, client, request, isKnown: roles.format === 'text' };
  }
  const first = { attempt: 0, maxTokens: judge.maxTokens, reminder: null };
  const names = roles.kind === 'library' ? roles.library : anglesOf(roles.kind, n);
  const isFixed = roles.kind === 'none' || roles.kind === 'library';
  for (const { layer, j, order } of places(config, n)) {
    const question = {
      ...{ sample, family, order, replicate: layer === 1 ? replicateOf(names, j) : j },
      roles: layer === 1 ? names.slice(j, j + 1) : names,
      history: layer === 1 ? null : usualHistory(config, j, n),
    };
    yield {
      id: `${sample.id}/${layer}/${j}/${order}`,
      client: jury(layer, j).client,
      request: () => judgeRequest(question, config, first),
      // The form of data is known only where a server is asked for it.
      isKnown: isFixed && layer === 1 && judge.format === 'text',
    };
  }
}

interface CallPlace {
  readonly layer: number;
  readonly j: number;
  readonly order: Order;
}

/** Layers, judges and orders. */
function places({ network }: WidedeepConfig, n: number): CallPlace[] {
  const orders: readonly Order[] = network.bothOrders ? ['12', '21'] : ['12'];
  const layers = Array.from({ length: network.layers }, (_, at) => at + 1);
  const judges = Array.from({ length: n }, (_, j) => j);
  return layers.flatMap((layer) =>
    judges.flatMap((j) => orders.map((order) => ({ layer, j, order }))),
  );
}

/** As many reviews as a judge reads, of usual length. */
function usualHistory({ network }: WidedeepConfig, j: number, n: number) {
  const reads = neighbours(j, n, network).length * (network.bothOrders ? 2 : 1);
  return { own: [], others: Array.from({ length: reads }, () => usualReview) };
}

const usualReview = 'words '.repeat((reviewTokens * charactersPerToken) / 6);

/** Names of usual length. */
function anglesOf(kind: WidedeepConfig['roles']['kind'], n: number): string[] {
  if (kind === 'none') return [];
  return Array.from({ length: n }, (_, at) => `Clarity and structure ${at}`);
}
