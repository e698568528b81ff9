/**
 * Sizes and choices of a model, complete and checked.
 */
import { ConfigError } from '@lab/core';
import type { FusionOutput } from './fusion-output.js';
import type { Fusion } from './local-interaction.js';
import type { FusionStart } from './low-rank-fusion.js';
import type { WeightSource } from './modality-weights.js';
import type { Propagation } from './propagation.js';
import type { RelationEncoder, RelationSets } from './relation-attention.js';

/** Which encoders a model has. */
export type EncoderChoice = 'both' | RelationEncoder;

/** Sizes and choices of a model; the defaults are those of the released code. */
export interface ModelSettings {
  /** D, the width of all vectors; default 300. */
  readonly size?: number;
  /** K, the rank of the fusion; default 8. */
  readonly rank?: number;
  /** L, reflection layers of each encoder; default 2. */
  readonly layers?: number;
  /** How the factors of the fusion start; default `official`. */
  readonly fusionStart?: FusionStart;
  /** `structure` leaves out the features, `joint` the entity table; default `both`. */
  readonly encoders?: EncoderChoice;
  /** Another name of two of these: `structure-only` is `structure`, `full` is `both`. */
  readonly variant?: 'full' | 'structure-only';
  /** `uniform` gives all modalities of an entity the same weight; default `entity`. */
  readonly modalityWeights?: WeightSource;
  /**
   * How modalities become one vector; default `low-rank`. With `early-only` there is none: nothing
   * is passed on from the modalities, and the joint encoder puts out `tanh(g)` alone.
   */
  readonly fusion?: Fusion;
  /** What follows the fusion; default `none`. */
  readonly fusionOutput?: FusionOutput;
  /** How vectors pass from entity to entity, in both encoders; default `reflection`. */
  readonly propagation?: Propagation;
  /** `one` takes the first relation of a pair for all of them; default `mean`. */
  readonly relationSets?: RelationSets;
  /** P, proxies of the matching after both encoders, 64 as a rule; default 0: no matching. */
  readonly proxies?: number;
}

const defaults: Required<ModelSettings> = {
  size: 300,
  rank: 8,
  layers: 2,
  fusionStart: 'official',
  encoders: 'both',
  variant: 'full',
  modalityWeights: 'entity',
  fusion: 'low-rank',
  fusionOutput: 'none',
  propagation: 'reflection',
  relationSets: 'mean',
  proxies: 0,
};

/**
 * The settings with every default in place, `encoders` and `variant` in agreement.
 *
 * @throws {ConfigError} when a size is no integer in its range, or two settings contradict each
 * other.
 */
export function completeSettings(settings: ModelSettings): Required<ModelSettings> {
  const encoders = chosenEncoders(settings);
  const variant = encoders === 'structure' ? 'structure-only' : 'full';
  const complete = { ...defaults, ...settings, encoders, variant } as const;
  assertSizes(complete);
  if (complete.fusion === 'early-only' && complete.fusionOutput !== 'none') {
    throw new ConfigError(
      `loginmea/model: fusionOutput is ${complete.fusionOutput}, but fusion early-only has no ` +
        'fused vector.',
      { help: 'Set fusionOutput to none, or choose another fusion.' },
    );
  }
  return complete;
}

function chosenEncoders({ encoders, variant }: ModelSettings): EncoderChoice {
  const byVariant = variant === 'structure-only' ? 'structure' : 'both';
  if (encoders === undefined) return byVariant;
  const isOther = (encoders === 'structure') !== (byVariant === 'structure');
  if (variant === undefined || !isOther) return encoders;
  throw new ConfigError(`loginmea/model: encoders is ${encoders}, but variant is ${variant}.`, {
    help: 'Leave variant out: encoders says the same and more.',
  });
}

const smallest = { size: 1, rank: 1, layers: 1, proxies: 0 } as const;

function assertSizes(settings: Required<ModelSettings>): void {
  for (const [key, least] of Object.entries(smallest)) {
    const name = key as keyof typeof smallest;
    if (Number.isInteger(settings[name]) && settings[name] >= least) continue;
    throw new ConfigError(`loginmea/model: ${name} is ${settings[name]}.`, {
      help: `Give an integer of at least ${least}; the default is ${defaults[name]}.`,
    });
  }
}

/** The encoders that pass vectors on. */
export function passingEncoders({ encoders, fusion }: Required<ModelSettings>): RelationEncoder[] {
  const chosen: RelationEncoder[] = encoders === 'both' ? ['structure', 'joint'] : [encoders];
  return chosen.filter((encoder) => encoder === 'structure' || fusion !== 'early-only');
}
