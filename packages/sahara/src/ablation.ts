/**
 * What ablating heads means, and the changes of a forward pass that do it.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Architecture, Hook, Intervention } from '@lab/transformer';
import type { HeadCounts } from './head.js';

/** What is done with a head. */
export type AblationKind = (typeof ablationKinds)[number];

/** Kinds of ablations. */
export const ablationKinds = ['uniform', 'scale', 'zero', 'mean', 'patch'] as const;

/** Where it is done. */
export type AblationSite = (typeof ablationSites)[number];

/** Places of ablations. */
export const ablationSites = ['pattern', 'scores', 'q', 'k', 'v', 'z'] as const;

/** What `head` counts. */
export type Granularity = 'kv-group' | 'query-head';

/** An ablation of heads. */
export interface HeadAblation {
  /**
   * `uniform`: every visible token gets the same weight, so that the head gives the running mean of
   * its values (Undifferentiated Attention in the limit eps = 0; paper, eq. 7). `scale`: queries,
   * keys or scores times `eps` (eq. 7), or values or outputs times `eps` (Scaling Contribution,
   * eq. 8). `zero`: the site is zero. `mean`: the mean over all heads of the layer at the same
   * token, which heads ablated together do not change (paper, section 5.3). `patch`: what the head
   * gives on another prompt, token by token from the last one on; in scans of single heads alone.
   */
  readonly kind: AblationKind;
  /** Default `pattern` of `uniform`, `scores` of `scale`, `q` of `mean`, else `z`. */
  readonly site?: AblationSite | undefined;
  /** Factor of `scale`: 0 is the exact limit, 1 changes nothing. Default 1e-5. */
  readonly eps?: number | undefined;
  /**
   * Whether `head` is a head of queries or one of keys and values with all queries that share it.
   * Must be said for the sites k and v of a model with such groups; default `query-head`.
   */
  readonly granularity?: Granularity | undefined;
}

/** An ablation with every field set. */
export interface ResolvedAblation {
  readonly kind: AblationKind;
  readonly site: AblationSite;
  readonly eps: number;
  readonly granularity: Granularity;
}

/** Changes of a pass; spread into `forward` or into a request of generation. */
export interface PassChanges {
  readonly interventions: readonly Intervention[];
  readonly hooks: readonly Hook[];
}

/** The exact uniform pattern. */
export const UNIFORM: HeadAblation = { kind: 'uniform' };

type Heads = Pick<
  Architecture,
  'hasQueryKeyNorm' | 'headCount' | 'keyValueHeadCount' | 'layerCount' | 'positions'
>;

const SITES: Readonly<Record<AblationKind, readonly AblationSite[]>> = {
  uniform: ['pattern'],
  scale: ['scores', 'q', 'k', 'v', 'z', 'pattern'],
  zero: ['z', 'v', 'q', 'k', 'scores', 'pattern'],
  mean: ['q', 'k', 'v', 'z'],
  patch: ['z'],
};

/**
 * An ablation with its defaults set.
 *
 * @throws {ConfigError} for a factor that is negative or not finite, a site that the kind does not
 *   have, and keys or values of a model with groups where the granularity is not said.
 */
export function resolveAblation(
  { kind, site, eps = 1e-5, granularity }: HeadAblation,
  { headCount, keyValueHeadCount }: Pick<Heads, 'headCount' | 'keyValueHeadCount'>,
): ResolvedAblation {
  const asker = 'sahara/ablation';
  if (!(Number.isFinite(eps) && eps >= 0)) {
    throw new ConfigError(`${asker}: eps is ${eps}.`, {
      help: 'Give 0 (the exact limit) or more; 1 changes nothing.',
    });
  }
  const sites = SITES[kind];
  const own = site ?? sites[0]!;
  if (!sites.includes(own)) {
    throw new ConfigError(`${asker}: ${kind} cannot be done at ${own}.`, {
      help: `Sites of ${kind}: ${sites.join(', ')}.`,
    });
  }
  const isShared = headCount !== keyValueHeadCount;
  if (isShared && granularity === undefined && (own === 'k' || own === 'v')) {
    throw new ConfigError(
      `${asker}: ${headCount / keyValueHeadCount} heads of queries share each of ` +
        `${keyValueHeadCount} heads of keys and values, and the site is ${own}.`,
      {
        help: "Say granularity: 'query-head' for one of them, or 'kv-group' for all that share it.",
      },
    );
  }
  return { kind, site: own, eps, granularity: granularity ?? 'query-head' };
}

/** Whether an ablation changes nothing. */
export const changesNothing = ({ kind, eps }: ResolvedAblation): boolean =>
  kind === 'scale' && eps === 1;

/** How many heads an ablation counts. */
export function headCounts(architecture: Heads, { granularity }: ResolvedAblation): HeadCounts {
  const { layerCount, headCount, keyValueHeadCount } = architecture;
  return { layerCount, headCount: granularity === 'kv-group' ? keyValueHeadCount : headCount };
}

/** Heads of queries that an ablation of a head changes. */
export function queryHeads(
  head: number,
  { headCount, keyValueHeadCount }: Pick<Heads, 'headCount' | 'keyValueHeadCount'>,
  { granularity }: ResolvedAblation,
): number[] {
  if (granularity === 'query-head') return [head];
  const size = headCount / keyValueHeadCount;
  return Array.from({ length: size }, (_, at) => head * size + at);
}

/**
 * The changes of a pass that ablate heads together.
 *
 * @param heads - checked before; a head of null stands for all heads of the layer.
 */
export function ablationChanges(
  { architecture }: { readonly architecture: Architecture },
  ablation: ResolvedAblation,
  heads: readonly { readonly layer: number; readonly head: number | null }[],
): PassChanges {
  if (changesNothing(ablation) || heads.length === 0) return { interventions: [], hooks: [] };
  if (ablation.kind === 'patch') {
    throw new ConfigError('sahara/ablation: patch is a change of one head in a scan.', {
      help: 'Groups, responses and weights take uniform, scale, zero or mean.',
    });
  }
  if (ablation.kind === 'mean') {
    const layers = [...new Set(heads.map(({ layer }) => layer))];
    const of = (layer: number) => heads.filter((one) => one.layer === layer);
    return {
      interventions: [],
      hooks: layers.map((layer) => meanHook(architecture, ablation, layer, of(layer))),
    };
  }
  return { interventions: heads.map((one) => interventionOf(ablation, one)), hooks: [] };
}

function interventionOf(
  { kind, site, eps, granularity }: ResolvedAblation,
  { layer, head }: { readonly layer: number; readonly head: number | null },
): Intervention {
  const place = { layer, ...(head !== null && { head, granularity }) };
  const isOfScores = site === 'q' || site === 'k' || site === 'scores';
  if (kind === 'uniform') return { kind: 'uniform', site: 'pattern', ...place };
  // Zero scores are the uniform pattern; norms and positions between do not matter then.
  if (isOfScores && (kind === 'zero' || eps === 0)) {
    return { kind: 'uniform', site: 'pattern', ...place };
  }
  if (kind === 'zero' || eps === 0) return { kind: 'zero', site, ...place };
  return { kind: 'scale', site, value: eps, ...place };
}

/**
 * Queries, keys, values or outputs of some heads as the mean over all heads of the layer.
 *
 * Deviation: heads of one layer are replaced together; in the released code a later one is
 * replaced by a mean that holds the earlier one's replacement.
 */
function meanHook(
  { headCount, keyValueHeadCount }: Architecture,
  { site, granularity }: ResolvedAblation,
  layer: number,
  heads: readonly { readonly head: number | null }[],
): Hook {
  const isShared = headCount !== keyValueHeadCount && (site === 'k' || site === 'v');
  const isSplit = isShared && granularity === 'query-head';
  const count = isShared && !isSplit ? keyValueHeadCount : headCount;
  const size = granularity === 'kv-group' && !isShared ? headCount / keyValueHeadCount : 1;
  const isChosen = (at: number) =>
    heads.some(({ head }) => head === null || head === Math.floor(at / size));
  return {
    names: `blocks.${layer}.attn.hook_${site}${isSplit ? '_heads' : ''}`,
    run: (value) => {
      const chosen = Float32Array.from({ length: count }, (_, at) => (isChosen(at) ? 1 : 0));
      const mask = tf.tensor(chosen, [1, 1, count, 1]);
      const mean = tf.mul(tf.mean(value, 2, true), mask);
      return tf.add(tf.mul(value, tf.sub(1, mask)), mean);
    },
  };
}

/**
 * What a user should know about an ablation of this model before trusting it; none is usual.
 */
export function ablationRemarks(architecture: Heads, ablation: ResolvedAblation): string[] {
  const { kind, site, eps } = ablation;
  const isPartial = kind === 'scale' && eps > 0 && eps !== 1;
  const remarks: string[] = [];
  if (isPartial && (site === 'q' || site === 'k') && architecture.hasQueryKeyNorm) {
    remarks.push(
      `norms of queries and keys undo most of a factor of ${eps} at ${site}: ` +
        'take the site scores, or the kind uniform.',
    );
  }
  if (isPartial && (site === 'q' || site === 'k') && architecture.positions.kind === 'alibi') {
    remarks.push(
      `biases of positions stay while ${site} is scaled, so that patterns do not become even: ` +
        'take the site scores, or the kind uniform.',
    );
  }
  return remarks;
}
