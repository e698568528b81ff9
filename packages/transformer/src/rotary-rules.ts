/**
 * Rotary positions as config.json has them: `rope_theta` with `rope_scaling`, or `rope_parameters`.
 */
import type { RotaryRules, RotaryScaling } from './architecture.js';
import type { ConfigFields } from './config-fields.js';

/** What rotary positions need beside their own fields. */
export interface RotaryDefaults {
  readonly headWidth: number;
  readonly base?: number;
  /** Share of a head that turns, where its object does not say. */
  readonly share?: number;
  /** Whether the family turns a part of a head; the others turn the whole, whatever a file says. */
  readonly isPartial?: boolean;
  /** Whether there is an object for each kind of blocks. */
  readonly isNested?: boolean;
}

/** The rules of a config with one kind of blocks. */
export function readRotary(config: ConfigFields, defaults: RotaryDefaults): RotaryRules {
  const base = config.positive('rope_theta', defaults.base ?? 10_000);
  const share = config.number('partial_rotary_factor', defaults.share ?? 1);
  return scaledRotary(config, { ...defaults, base, share });
}

/** As {@link readRotary}, with base and share of the whole config given. */
export function scaledRotary(config: ConfigFields, defaults: RotaryDefaults): RotaryRules {
  const scaling = config.object('rope_scaling');
  const isOld = scaling !== null && !scaling.isEmpty;
  if (isOld) config.ignore('rope_parameters');
  const parameters = isOld ? scaling : config.object('rope_parameters');
  if (parameters !== null) return rotaryOf(config, parameters, defaults);
  return plainRotary(defaults.isPartial === true ? defaults : { ...defaults, share: 1 });
}

/** The rules that an object of parameters has. */
export function rotaryOf(
  config: ConfigFields,
  parameters: ConfigFields,
  defaults: RotaryDefaults,
): RotaryRules {
  const base = parameters.positive('rope_theta', defaults.base ?? 10_000);
  const share = parameters.number('partial_rotary_factor', defaults.share ?? 1);
  const isWhole = defaults.isPartial !== true;
  const rules = plainRotary({ ...defaults, base, share: isWhole ? 1 : share });
  const isNested = defaults.isNested === true;
  const scaling = scalingOf(config, parameters, { width: rules.width, isNested });
  if (isWhole && share !== 1 && scaling.kind !== 'default') {
    const from = parameters.has('partial_rotary_factor') ? parameters : config;
    throw from.wrong('partial_rotary_factor', `1 with the scaling ${scaling.kind}`);
  }
  return { ...rules, scaling };
}

/** Rotary positions that are not scaled; an odd share of a head turns one feature more. */
export function plainRotary({ headWidth, base = 10_000, share = 1 }: RotaryDefaults): RotaryRules {
  const width = Math.floor(headWidth * share);
  const scaling = { kind: 'default' } as const;
  return width % 2 === 1
    ? { base, width: width + 1, exponentWidth: width, scaling }
    : { base, width, scaling };
}

/** Fields of all scalings: those of another than the one in use change nothing. */
const scalingFields = [
  ...['attention_factor', 'beta_fast', 'beta_slow', 'factor', 'finetuned', 'high_freq_factor'],
  ...[
    'long_factor',
    'low_freq_factor',
    'mscale',
    'mscale_all_dim',
    'original_max_position_embeddings',
  ],
  ...['short_factor', 'truncate', 'type'],
];

interface ScalingContext {
  readonly width: number;
  readonly isNested: boolean;
}

function scalingOf(
  config: ConfigFields,
  fields: ConfigFields,
  { width, isNested }: ScalingContext,
): RotaryScaling {
  fields.ignore(...scalingFields);
  const named = fields.text('rope_type', fields.has('type') ? fields.text('type') : 'default');
  // The first files of Phi 3 call longrope so.
  const isPhi = config.text('model_type') === 'phi3';
  const kind = named === 'su' || (isPhi && named === 'yarn') ? 'longrope' : named;
  const maxPositions = () => config.count('max_position_embeddings');
  const originalPositions = () =>
    (isNested ? null : config.optionalCount('original_max_position_embeddings')) ??
    fields.count('original_max_position_embeddings', maxPositions());
  switch (kind) {
    case 'default':
      return { kind };
    case 'linear':
      return { kind, factor: fields.positive('factor') };
    case 'dynamic':
      return { kind, factor: fields.positive('factor'), maxPositions: maxPositions() };
    case 'llama3':
      return {
        kind,
        factor: fields.positive('factor'),
        lowFrequencyFactor: fields.positive('low_freq_factor'),
        highFrequencyFactor: fields.positive('high_freq_factor'),
        originalPositions: originalPositions(),
      };
    case 'yarn': {
      const original = originalPositions();
      const factor = fields.positive('factor', maxPositions() / original);
      return {
        kind,
        factor,
        betaFast: fields.positive('beta_fast', 32),
        betaSlow: fields.positive('beta_slow', 1),
        // In an object of its own, transformers does not see it.
        isTruncated: isNested || fields.boolean('truncate', true),
        originalPositions: original,
        attentionFactor: yarnAttentionFactor(fields, factor),
      };
    }
    case 'longrope':
      return longrope(fields, { width, original: originalPositions(), max: maxPositions() });
    default:
      throw fields.wrong(
        fields.has('rope_type') ? 'rope_type' : 'type',
        'one of default, linear, dynamic, llama3, yarn and longrope',
        'Positions of another kind are not supported here; report the model.',
      );
  }
}

function yarnAttentionFactor(fields: ConfigFields, factor: number): number {
  const given = fields.optionalNumber('attention_factor');
  const [own, all] = [fields.optionalNumber('mscale'), fields.optionalNumber('mscale_all_dim')];
  const scaleOf = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  return given ?? (own && all ? scaleOf(own) / scaleOf(all) : scaleOf(1));
}

function longrope(
  fields: ConfigFields,
  {
    width,
    original,
    max,
  }: { readonly width: number; readonly original: number; readonly max: number },
): RotaryScaling {
  const factor = fields.positive('factor', max / original);
  const plain = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  const factorsOf = (name: string) => {
    const factors = fields.numbers(name);
    if (factors.length !== width / 2) throw fields.wrong(name, `a list of ${width / 2} numbers`);
    return factors;
  };
  return {
    kind: 'longrope',
    shortFactors: factorsOf('short_factor'),
    longFactors: factorsOf('long_factor'),
    originalPositions: original,
    attentionFactor: fields.number('attention_factor', plain),
  };
}
