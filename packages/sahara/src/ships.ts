/**
 * Ships: how far the next token's distribution moves when a head is ablated.
 */
import { ConfigError, DataError, ModelError } from '@lab/core';
import type { Model } from '@lab/transformer';
import {
  changesNothing,
  type HeadAblation,
  headCounts,
  resolveAblation,
  type ResolvedAblation,
  UNIFORM,
} from './ablation.js';
import { allHeads, assertHeads, type HeadId, headKey } from './head.js';
import {
  assertPrompts,
  type HeadOutput,
  type ScanInput,
  type TokenPrompt,
} from './head-outputs.js';
import { scanHeads } from './head-scan.js';
import { type DivergenceFrom, divergenceFrom, type Numerics } from './kl.js';
import { promptBatches, type ScanLimits } from './scan-batches.js';

/** How heads are scored. */
export interface ShipsOptions extends ScanLimits {
  /** Default the exact uniform pattern. */
  readonly ablation?: HeadAblation | undefined;
  /** Default `stable`. */
  readonly numerics?: Numerics | undefined;
  /** Ablated in all passes, also in the one that heads are compared with. */
  readonly group?: readonly HeadId[] | undefined;
  /** Heads that are scored; default all but the group. */
  readonly heads?: readonly HeadId[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Share of the work that is done, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** What ablating each head does to the next token of a prompt. */
export interface PromptScores {
  readonly id: string;
  /** Nats, `[L, H]`; null for a head that was not scored. */
  readonly scores: (number | null)[][];
  /** Most probable next token of the model that heads are compared with. */
  readonly nextToken: number;
  readonly nextProbability: number;
}

/** Scores that are not there yet. */
export const noScores = (counts: { layerCount: number; headCount: number }): (number | null)[][] =>
  Array.from({ length: counts.layerCount }, () =>
    Array.from({ length: counts.headCount }, () => null),
  );

/**
 * Scores of all heads on one prompt.
 *
 * `Ships(q, h) = KL(p(q) || p(q without h))`, p of the next token. Source: Zhou et al., On the Role
 * of Attention Heads in Large Language Model Safety, eq. 9.
 *
 * @param prompt - token ids, or a prompt with its id.
 * @throws {ConfigError} for an ablation or head that the model does not have.
 * @throws {ModelError} for logits that are not finite, with prompt and head.
 *
 * @example
 * import { encodePrompt, exampleModel, loadModel, loadTokenizer } from '@lab/transformer';
 * const folder = exampleModel('planted-grouped');
 * const model = await loadModel(folder);
 * const prompt = encodePrompt(loadTokenizer(folder), 'Please tell me now how to polish the lamp.');
 * const { scores } = await ships(model, prompt.ids);
 * headKey(rankHeads(scores)[0]!); // => '1-5'
 */
export async function ships(
  model: Model,
  prompt: TokenPrompt | readonly number[],
  options: ShipsOptions = {},
): Promise<PromptScores> {
  const own: TokenPrompt = 'ids' in prompt ? prompt : { id: 'prompt', ids: prompt };
  const [found] = await shipsTogether(model, [own], options);
  return found!;
}

/** As {@link ships}, of several prompts side by side, in their order. */
export async function shipsTogether(
  model: Model,
  prompts: readonly TokenPrompt[],
  options: ShipsOptions = {},
): Promise<PromptScores[]> {
  const scan = planShips(model, prompts, options);
  const scores = new ShipsScores(prompts, scan);
  // A factor of 1 changes nothing: zeros, exactly, and no noise of rounding.
  const candidates = changesNothing(scan.ablation) ? [] : scan.heads;
  await scanHeads(model, scores.input(candidates, options), options);
  return scores.found;
}

/**
 * As {@link ships}, of prompts in batches of about one length: each as soon as its batch is done.
 *
 * @param isDone - whether the scores of a prompt are known; a batch of such is left out, so that
 *   what the others get does not depend on it.
 */
export async function* shipsOfEach(
  model: Model,
  prompts: readonly TokenPrompt[],
  options: ShipsOptions & { readonly isDone?: ((id: string) => boolean) | undefined } = {},
): AsyncGenerator<PromptScores> {
  const { isDone = () => false, onProgress } = options;
  const { heads: candidates } = planShips(model, prompts, options);
  const batches = promptBatches(model, { prompts, candidates }, options);
  for (const [at, batch] of batches.entries()) {
    if (batch.every(({ id }) => isDone(id))) continue;
    options.signal?.throwIfAborted();
    const share = (own: number) => onProgress?.((at + own) / batches.length);
    const found = await shipsTogether(model, batch, { ...options, onProgress: share });
    yield* found.filter(({ id }) => !isDone(id));
  }
}

/** What a scan for scores needs, checked. */
export interface ShipsPlan {
  readonly ablation: ResolvedAblation;
  readonly group: readonly HeadId[];
  readonly heads: readonly HeadId[];
  readonly numerics: Numerics;
  readonly counts: { readonly layerCount: number; readonly headCount: number };
}

/**
 * Options of scores with their defaults.
 *
 * @throws {ConfigError} and {DataError} before any pass.
 */
export function planShips(
  model: Model,
  prompts: readonly TokenPrompt[],
  { ablation = UNIFORM, numerics = 'stable', group = [], heads }: ShipsOptions,
): ShipsPlan {
  assertPrompts(model, prompts);
  const resolved = resolveAblation(ablation, model.architecture);
  assertSources(resolved, prompts, group);
  const counts = headCounts(model.architecture, resolved);
  assertHeads(group, counts, 'sahara/group');
  const isGrouped = new Set(group.map(headKey));
  if (heads !== undefined) assertHeads([...group, ...heads], counts, 'sahara/heads');
  const own = heads ?? allHeads(counts).filter((one) => !isGrouped.has(headKey(one)));
  return { ablation: resolved, group, heads: own, numerics, counts };
}

function assertSources(
  { kind }: ResolvedAblation,
  prompts: readonly TokenPrompt[],
  group: readonly HeadId[],
): void {
  if (kind !== 'patch') return;
  const without = prompts.find(({ source }) => source === undefined);
  if (without !== undefined) {
    throw new DataError(`sahara/ships: the prompt ${without.id} has no source to patch from.`, {
      help: 'Give a file of prompts with --source, or set `source` of each prompt.',
    });
  }
  if (group.length === 0) return;
  throw new ConfigError('sahara/ships: patch is of one head at a time, and a group is given.', {
    help: 'Leave the group out, or take another ablation.',
  });
}

/** Collects scores from the outputs of a scan. */
export class ShipsScores {
  readonly found: PromptScores[];
  private readonly intact = new Map<number, DivergenceFrom>();

  constructor(
    private readonly prompts: readonly TokenPrompt[],
    private readonly plan: ShipsPlan,
  ) {
    this.found = prompts.map(({ id }) => ({
      ...{ id, scores: noScores(plan.counts) },
      ...{ nextToken: -1, nextProbability: Number.NaN },
    }));
  }

  /** A scan whose outputs come here. */
  input(candidates: readonly HeadId[], { signal, onProgress }: ShipsOptions): ScanInput {
    const { ablation, group } = this.plan;
    return {
      ...{ prompts: this.prompts, ablation, group, candidates, output: 'logits' },
      ...{ signal, onShare: onProgress, visit: (output) => this.take(output) },
    };
  }

  private take({ prompt, head, values }: HeadOutput): void {
    if (head === null) this.takeIntact(prompt, values);
    else this.found[prompt]!.scores[head.layer]![head.head] = this.scoreOf(prompt, head, values);
  }

  private takeIntact(prompt: number, values: Float32Array): void {
    const from = divergenceFrom(values, this.plan.numerics);
    if (!Number.isFinite(from.probability)) throw this.problem(prompt, 'nothing but the group');
    this.intact.set(prompt, from);
    const scores = this.found[prompt]!.scores;
    if (changesNothing(this.plan.ablation)) {
      for (const { layer, head } of this.plan.heads) scores[layer]![head] = 0;
    }
    const { token: nextToken, probability: nextProbability } = from;
    this.found[prompt] = { id: this.prompts[prompt]!.id, scores, nextToken, nextProbability };
  }

  private scoreOf(prompt: number, head: HeadId, values: Float32Array): number {
    const score = this.intact.get(prompt)!.to(values);
    if (Number.isFinite(score)) return score;
    throw this.problem(prompt, `head ${headKey(head)}`);
  }

  private problem(prompt: number, what: string): ModelError {
    const { id } = this.prompts[prompt]!;
    return new ModelError(
      `sahara/ships: logits of prompt ${id} with ${what} ablated are not finite.`,
      {
        help: 'Values may have overflown: load the checkpoint in float32, or another one.',
        details: { prompt: id },
      },
    );
  }
}
