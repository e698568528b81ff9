/**
 * Angles of rotary positions, with the scalings for longer texts.
 */
import type { RotaryRules, RotaryScaling } from './architecture.js';

/** What turns the features of a head. */
export interface RotaryAngles {
  /** Angle per position of each pair of features, `[R / 2]`. */
  readonly inverseFrequencies: Float64Array;
  /** Factor of cosines and sines. */
  readonly attentionFactor: number;
}

/**
 * `base^(-2 j / R)` of each pair j, scaled.
 *
 * Sources: Su et al., RoFormer; linear: Chen et al., Positional Interpolation; dynamic: NTK-aware
 * interpolation by length; llama3: Llama 3.1; yarn: Peng et al., YaRN, eq. (18) and (22); longrope:
 * Ding et al., LongRoPE. As `transformers` computes them.
 *
 * @param length - tokens of the text: dynamic and longrope depend on it.
 */
export function rotaryAngles({ base, width, scaling }: RotaryRules, length: number): RotaryAngles {
  const plain = (from: number) =>
    Float64Array.from({ length: width / 2 }, (_, pair) => from ** ((-2 * pair) / width));
  const attentionFactor = 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
  switch (scaling.kind) {
    case 'default':
      return { inverseFrequencies: plain(base), attentionFactor };
    case 'linear': {
      const inverseFrequencies = plain(base).map((angle) => angle / scaling.factor);
      return { inverseFrequencies, attentionFactor };
    }
    case 'dynamic': {
      const { factor, maxPositions } = scaling;
      const stretch = (factor * Math.max(length, maxPositions)) / maxPositions - (factor - 1);
      const inverseFrequencies = plain(base * stretch ** (width / (width - 2)));
      return { inverseFrequencies, attentionFactor };
    }
    case 'llama3':
      return { inverseFrequencies: smoothed(plain(base), scaling), attentionFactor };
    case 'yarn': {
      const inverseFrequencies = ramped(plain(base), { base, width, scaling });
      return { inverseFrequencies, attentionFactor };
    }
    case 'longrope': {
      const { shortFactors, longFactors, originalPositions } = scaling;
      const factors = length > originalPositions ? longFactors : shortFactors;
      const inverseFrequencies = plain(base).map((angle, pair) => angle / factors[pair]!);
      return { inverseFrequencies, attentionFactor };
    }
  }
}

type Scaling<K extends RotaryScaling['kind']> = Extract<RotaryScaling, { kind: K }>;

/** Long waves are stretched, short ones are not, between them a mixture. */
function smoothed(angles: Float64Array, scaling: Scaling<'llama3'>): Float64Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const { originalPositions } = scaling;
  return angles.map((angle) => {
    const wavelength = (2 * Math.PI) / angle;
    if (wavelength < originalPositions / high) return angle;
    if (wavelength > originalPositions / low) return angle / factor;
    const share = (originalPositions / wavelength - low) / (high - low);
    return ((1 - share) * angle) / factor + share * angle;
  });
}

/** A ramp from the pairs that turn often in the original length to those that do not. */
function ramped(
  angles: Float64Array,
  { base, width, scaling }: RotaryRules & { readonly scaling: Scaling<'yarn'> },
): Float64Array {
  const { factor, betaFast, betaSlow, originalPositions, isTruncated } = scaling;
  const pairOf = (turns: number) =>
    (width * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(isTruncated ? Math.floor(first) : first, 0);
  const high = Math.min(isTruncated ? Math.ceil(last) : last, width - 1);
  const span = high === low ? 0.001 : high - low;
  return angles.map((angle, pair) => {
    const ramp = Math.min(Math.max((pair - low) / span, 0), 1);
    return (angle / factor) * ramp + angle * (1 - ramp);
  });
}
