/**
 * Rotary positions as config.json has them: `rope_theta` with `rope_scaling`, or `rope_parameters`.
 */
import type { RotaryRules, RotaryScaling } from './architecture.js';
import type { ConfigFields } from './config-fields.js';

/** What rotary positions need beside their own fields. */
export interface RotaryDefaults {
  readonly headWidth: number;
  readonly base?: number;
  /** Share of a head that turns, where config.json does not say. */
  readonly share?: number;
}

/** The rules of a config with one kind of blocks. */
export function readRotary(config: ConfigFields, defaults: RotaryDefaults): RotaryRules {
  const parameters = config.object('rope_parameters');
  if (parameters !== null) {
    config.ignore('rope_theta', 'rope_scaling', 'partial_rotary_factor');
    return rotaryOf(config, parameters, defaults);
  }
  const base = config.number('rope_theta', defaults.base ?? 10_000);
  const share = config.number('partial_rotary_factor', defaults.share ?? 1);
  const scaling = config.object('rope_scaling');
  const given = { ...defaults, base, share };
  return scaling === null ? plainRotary(given) : rotaryOf(config, scaling, given);
}

/** The rules that an object of parameters has. */
export function rotaryOf(
  config: ConfigFields,
  parameters: ConfigFields,
  defaults: RotaryDefaults,
): RotaryRules {
  const base = parameters.number('rope_theta', defaults.base ?? 10_000);
  const share = parameters.number('partial_rotary_factor', defaults.share ?? 1);
  const rules = plainRotary({ ...defaults, base, share });
  return { ...rules, scaling: scalingOf(config, parameters, rules.width) };
}

/** Rotary positions that are not scaled. */
export function plainRotary({ headWidth, base = 10_000, share = 1 }: RotaryDefaults): RotaryRules {
  return { base, width: Math.floor(headWidth * share), scaling: { kind: 'default' } };
}

/** Fields of all scalings: those of another than the one in use change nothing. */
const scalingFields = [
  ...['attention_factor', 'beta_fast', 'beta_slow', 'factor', 'high_freq_factor', 'long_factor'],
  ...['low_freq_factor', 'mscale', 'mscale_all_dim', 'original_max_position_embeddings'],
  ...['short_factor', 'truncate', 'type'],
];

function scalingOf(config: ConfigFields, fields: ConfigFields, width: number): RotaryScaling {
  fields.ignore(...scalingFields);
  const named = fields.text('rope_type', fields.has('type') ? fields.text('type') : 'default');
  // The first files of Phi 3 call longrope so.
  const isPhi = config.text('model_type') === 'phi3';
  const kind = named === 'su' || (isPhi && named === 'yarn') ? 'longrope' : named;
  const maxPositions = () => config.number('max_position_embeddings');
  const originalPositions = () =>
    config.optionalNumber('original_max_position_embeddings') ??
    fields.number('original_max_position_embeddings', maxPositions());
  switch (kind) {
    case 'default':
      return { kind };
    case 'linear':
      return { kind, factor: fields.number('factor') };
    case 'dynamic':
      return { kind, factor: fields.number('factor'), maxPositions: maxPositions() };
    case 'llama3':
      return {
        kind,
        factor: fields.number('factor'),
        lowFrequencyFactor: fields.number('low_freq_factor'),
        highFrequencyFactor: fields.number('high_freq_factor'),
        originalPositions: originalPositions(),
      };
    case 'yarn': {
      const original = originalPositions();
      const factor = fields.number('factor', maxPositions() / original);
      return {
        kind,
        factor,
        betaFast: fields.number('beta_fast', 32),
        betaSlow: fields.number('beta_slow', 1),
        isTruncated: fields.boolean('truncate', true),
        originalPositions: original,
        attentionFactor: yarnAttentionFactor(fields, factor),
      };
    }
    case 'longrope':
      return longrope(fields, { width, original: originalPositions(), max: maxPositions() });
    default:
      throw fields.wrong('rope_type', 'one of default, linear, dynamic, llama3, yarn and longrope');
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
  const factor = fields.number('factor', max / original);
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
