/**
 * The heads that matter most by an estimate from gradients, and their exact scores.
 */
import { ConfigError, createRandom, type Random } from '@lab/core';
import { tf } from '@lab/tensor';
import { type Captured, hookGradients, type Model } from '@lab/transformer';
import { changesNothing, queryHeads } from './ablation.js';
import { BasePass, disposeLayers, type LayerParts } from './base-pass.js';
import { type HeadId, rankHeads } from './head.js';
import type { ScanInput, TokenPrompt } from './head-outputs.js';
import { scanLayers } from './head-scan.js';
import {
  noScores,
  planShips,
  type PromptScores,
  type ShipsOptions,
  type ShipsPlan,
  ShipsScores,
} from './ships.js';

/** How heads are screened. */
export interface ScreenedShipsOptions extends ShipsOptions {
  /** Share of the heads that get an exact score, 0 to 1; at least one. Default .25. */
  readonly share?: number | undefined;
  /** Most probable tokens whose probabilities are followed one by one; default 0. */
  readonly topTokens?: number | undefined;
  /** Random mixtures of all other tokens that are followed; default 1, the cheapest. */
  readonly mixtures?: number | undefined;
  /** Of the mixtures; default 1. */
  readonly seed?: number | undefined;
}

/** Scores of a prompt of which some are exact. */
export interface ScreenedScores extends PromptScores {
  /** Estimates of all heads, nats, `[L][H]`; an order rather than values. */
  readonly estimates: (number | null)[][];
  /** Heads with an exact score, by falling estimate. */
  readonly exact: readonly HeadId[];
}

/**
 * Exact scores of the heads that are likely to matter; null for all others.
 *
 * With `dz` what ablating a head changes in what it gives,
 * `KL ~ 1/2 sum_v p_v (grad log p_v . dz)^2`: the gradient of the divergence itself is 0 where
 * nothing is changed, so that it is its second order that is followed. The sum runs over the most
 * probable tokens one by one, and over the rest by random mixtures
 * `sum_v s_v sqrt(p_v) grad log p_v`, `s_v` of +1 or -1, whose squares have the rest of the sum as
 * their mean. All of these go back through the model side by side.
 * Source: ours; first-order estimates of patching: Nanda, Attribution Patching; equation not
 * verified.
 *
 * @throws {ConfigError} for a share that is not above 0 and up to 1.
 * @throws what `ships` throws.
 */
export async function screenedShips(
  model: Model,
  prompt: TokenPrompt | readonly number[],
  options: ScreenedShipsOptions = {},
): Promise<ScreenedScores> {
  const own: TokenPrompt = 'ids' in prompt ? prompt : { id: 'prompt', ids: prompt };
  const plan = planShips(model, [own], options);
  const wanted = screenedCount(options, plan);
  const collected = new ShipsScores([own], plan);
  const isUnchanged = changesNothing(plan.ablation);
  const input = collected.input(isUnchanged ? [] : plan.heads, options);
  const base = new BasePass(
    model,
    [{ id: own.id, ids: own.ids, source: own.source, prompt: 0 }],
    input,
  );
  const layers: LayerParts[] = [];
  try {
    const { layerCount } = model.architecture;
    const all = new Set(isUnchanged ? [] : Array.from({ length: layerCount }, (_, at) => at));
    layers.push(...(await base.advance(layerCount, all)));
    const logits = await base.outputs();
    input.visit({ prompt: 0, head: null, values: logits });
    const estimates = isUnchanged
      ? collected.found[0]!.scores
      : await estimate(model, { base, layers, logits, plan, options });
    const exact = rankHeads(estimates, wanted).map(({ layer, head }) => ({ layer, head }));
    if (!isUnchanged) {
      const scan: ScanInput = { ...input, candidates: exact };
      const heads = exact.toSorted((a, b) => a.layer - b.layer || a.head - b.head);
      await scanLayers(model, base, { layers, heads, input: scan, limits: options });
    }
    return { ...collected.found[0]!, estimates, exact };
  } finally {
    disposeLayers(layers);
    base.dispose();
  }
}

function screenedCount({ share = 0.25 }: ScreenedShipsOptions, { heads }: ShipsPlan): number {
  if (share > 0 && share <= 1) return Math.max(1, Math.ceil(share * heads.length));
  throw new ConfigError(`sahara/screened: a share of ${share}.`, {
    help: 'Give a share of the heads above 0 and up to 1, such as .25.',
  });
}

interface Estimate {
  readonly base: BasePass;
  readonly layers: readonly LayerParts[];
  readonly logits: Float32Array;
  readonly plan: ShipsPlan;
  readonly options: ScreenedShipsOptions;
}

/** Estimates of all heads of a prompt. */
async function estimate(
  model: Model,
  { base, layers, logits, plan, options }: Estimate,
): Promise<(number | null)[][]> {
  const { ids } = base.padded;
  const { interventions, hooks } = base.changes;
  const changed = await headChanges(layers);
  const residuals = [...layers.map(({ residual }) => residual), base.end];
  const ends = tf.tensor3d(logits, [1, 1, logits.length]);
  const gradients = await hookGradients(model, {
    ...{ ids, interventions, hooks, signal: options.signal },
    ...{ places: /\.attn\.hook_z$/, pass: { residuals, logits: ends } },
    outputGradients: (own) => followed(own, options),
  }).finally(() => ends.dispose());
  const estimates = noScores(plan.counts);
  const { headCount } = model.architecture;
  for (const { layer, head } of plan.heads) {
    const slopes = gradients.get(`blocks.${layer}.attn.hook_z`)!;
    const change = changed.get(layer)!;
    const own = queryHeads(head, model.architecture, plan.ablation);
    estimates[layer]![head] = halfSquares(slopes, change, { heads: own, headCount });
  }
  return estimates;
}

/** What ablating the heads of each layer changes in what they give, `[T, H, F]`. */
async function headChanges(layers: readonly LayerParts[]): Promise<Map<number, Float32Array>> {
  const changes = new Map<number, Float32Array>();
  for (const { layer, intact, ablated } of layers) {
    const before = await intact.data<'float32'>();
    const after = await ablated.data<'float32'>();
    changes.set(
      layer,
      after.map((value, at) => value - before[at]!),
    );
  }
  return changes;
}

/**
 * Gradients by the logits of what is followed: `sqrt(p_v) log p_v` of each of the first tokens,
 * and mixtures of the rest.
 */
function followed(
  { data }: Captured,
  { topTokens = 0, mixtures = 1, seed = 1 }: ScreenedShipsOptions,
): Captured {
  const size = data.length;
  const p = probabilities(data);
  const first = firstTokens(p, Math.min(topTokens, size));
  const rows = new Float32Array((first.length + mixtures) * size);
  for (const [at, token] of first.entries()) {
    const row = rows.subarray(at * size, (at + 1) * size);
    const root = Math.sqrt(p[token]!);
    for (let other = 0; other < size; other += 1) row[other] = -root * p[other]!;
    row[token] = root * (1 - p[token]!);
  }
  const signs = createRandom(seed).fork('screening');
  for (let at = 0; at < mixtures; at += 1) {
    const start = (first.length + at) * size;
    const row = rows.subarray(start, start + size);
    mix(row, p, { without: first, signs: signs.fork(String(at)) });
    for (let token = 0; token < size; token += 1) row[token] = row[token]! / Math.sqrt(mixtures);
  }
  return { shape: [first.length + mixtures, 1, size], data: rows };
}

/** Fills a row with the gradient of `sum_v s_v sqrt(p_v) log p_v`, some tokens left out. */
function mix(
  row: Float32Array,
  p: Float64Array,
  { without, signs }: { readonly without: readonly number[]; readonly signs: Random },
): void {
  let [sum, bits] = [0, 0];
  for (let token = 0; token < p.length; token += 1) {
    if (token % 32 === 0) bits = signs.seed32();
    const root = Math.sqrt(p[token]!);
    row[token] = (bits & 1) === 0 ? root : -root;
    bits >>>= 1;
  }
  for (const token of without) row[token] = 0;
  for (let token = 0; token < p.length; token += 1) sum += row[token]!;
  for (let token = 0; token < p.length; token += 1) row[token] = row[token]! - sum * p[token]!;
}

function probabilities(logits: Float32Array): Float64Array {
  const p = new Float64Array(logits.length);
  let [most, sum] = [-Infinity, 0];
  for (let at = 0; at < p.length; at += 1) if (logits[at]! > most) most = logits[at]!;
  for (let at = 0; at < p.length; at += 1) {
    p[at] = Math.exp(logits[at]! - most);
    sum += p[at]!;
  }
  for (let at = 0; at < p.length; at += 1) p[at] = p[at]! / sum;
  return p;
}

/** Tokens of the largest probabilities. */
function firstTokens(p: Float64Array, count: number): number[] {
  const found: number[] = [];
  for (let at = 0; at < count; at += 1) {
    let best = -1;
    for (let token = 0; token < p.length; token += 1) {
      if (best >= 0 && p[token]! <= p[best]!) continue;
      if (!found.includes(token)) best = token;
    }
    found.push(best);
  }
  return found;
}

/** `1/2 sum_r (g_r . dz)^2` over the rows that are followed, of some heads of a layer. */
function halfSquares(
  { data, shape }: Captured,
  change: Float32Array,
  { heads, headCount }: { readonly heads: readonly number[]; readonly headCount: number },
): number {
  const [rows] = shape as [number];
  const own = data.length / rows;
  const width = shape.at(-1)!;
  let sum = 0;
  for (let row = 0; row < rows; row += 1) {
    let along = 0;
    for (let token = 0; token < own; token += headCount * width) {
      for (const head of heads) {
        const start = token + head * width;
        for (let at = start; at < start + width; at += 1) {
          along += data[row * own + at]! * change[at]!;
        }
      }
    }
    sum += along * along;
  }
  return sum / 2;
}
