/**
 * Angles of rotary positions, with the scalings for longer texts.
 */
import type { RotaryRules, RotaryScaling } from './architecture.js';

/** What turns the features of a head. */
export interface RotaryAngles {
  /** Angle per position of each pair of features, `[R / 2]`. */
  readonly inverseFrequencies: Float32Array;
  /** Factor of cosines and sines. */
  readonly attentionFactor: number;
}

/** Each step is rounded as in PyTorch: far positions multiply what the roundings leave. */
const f32 = Math.fround;

/**
 * `base^(-2 j / R)` of each pair j, scaled; float32 step by step.
 *
 * Sources: Su et al., RoFormer; linear: Chen et al., Positional Interpolation; dynamic: NTK-aware
 * interpolation by length; llama3: Llama 3.1; yarn: Peng et al., YaRN, eq. (18) and (22); longrope:
 * Ding et al., LongRoPE. As `transformers` computes them.
 *
 * @param length - tokens of the text: dynamic and longrope depend on it.
 */
export function rotaryAngles(rules: RotaryRules, length: number): RotaryAngles {
  const { base, width, scaling, exponentWidth = width } = rules;
  const periods = (from: number) =>
    Float32Array.from({ length: width / 2 }, (_, pair) =>
      Math.pow(f32(from), f32((2 * pair) / exponentWidth)),
    );
  const plain = (from: number) => periods(from).map((period) => 1 / period);
  const attentionFactor = 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
  switch (scaling.kind) {
    case 'default':
      return { inverseFrequencies: plain(base), attentionFactor };
    case 'linear': {
      const inverseFrequencies = plain(base).map((angle) => angle / scaling.factor);
      return { inverseFrequencies, attentionFactor };
    }
    case 'dynamic': {
      const inverseFrequencies = plain(stretchedBase(rules, scaling, length));
      return { inverseFrequencies, attentionFactor };
    }
    case 'llama3':
      return { inverseFrequencies: smoothed(plain(base), scaling), attentionFactor };
    case 'yarn': {
      const inverseFrequencies = ramped(periods(base), { base, width, scaling });
      return { inverseFrequencies, attentionFactor };
    }
    case 'longrope': {
      const { shortFactors, longFactors, originalPositions } = scaling;
      const factors = length > originalPositions ? longFactors : shortFactors;
      const stretched = periods(base).map((period, pair) => f32(factors[pair]!) * period);
      return { inverseFrequencies: stretched.map((period) => 1 / period), attentionFactor };
    }
  }
}

type Scaling<K extends RotaryScaling['kind']> = Extract<RotaryScaling, { kind: K }>;

/** The base for a text beyond the length that the model knows; else its own. */
function stretchedBase(
  { base, width, exponentWidth = width }: RotaryRules,
  { factor, maxPositions }: Scaling<'dynamic'>,
  length: number,
): number {
  if (length <= maxPositions) return base;
  const stretch = f32(f32(f32(factor * length) / maxPositions) - (factor - 1));
  return f32(base * f32(stretch ** (exponentWidth / (exponentWidth - 2))));
}

/** Long waves are stretched, short ones are not, between them a mixture. */
function smoothed(angles: Float32Array, scaling: Scaling<'llama3'>): Float32Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const { originalPositions } = scaling;
  return angles.map((angle) => {
    const wavelength = f32(f32(2 * Math.PI) / angle);
    if (wavelength < originalPositions / high) return angle;
    if (wavelength > originalPositions / low) return angle / factor;
    const share = f32(f32(f32(originalPositions / wavelength) - low) / (high - low));
    return f32(f32(f32(1 - share) * angle) / factor) + f32(share * angle);
  });
}

/** A ramp from the pairs that turn often in the original length to those that do not. */
function ramped(
  periods: Float32Array,
  { base, width, scaling }: RotaryRules & { readonly scaling: Scaling<'yarn'> },
): Float32Array {
  const { factor, betaFast, betaSlow, originalPositions, isTruncated } = scaling;
  const pairOf = (turns: number) =>
    (width * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(isTruncated ? Math.floor(first) : first, 0);
  const high = Math.min(isTruncated ? Math.ceil(last) : last, width - 1);
  const span = high === low ? 0.001 : high - low;
  return periods.map((period, pair) => {
    const near = f32(1 - Math.min(Math.max(f32(f32(pair - low) / span), 0), 1));
    const stretched = f32(1 / f32(factor * period));
    return f32(stretched * f32(1 - near)) + f32(f32(1 / period) * near);
  });
}
