/**
 * Where the new tokens of several texts stand.
 */
import { rotaryEmbedding, type tf } from '@lab/tensor';
import type { RotaryRules } from '../architecture.js';
import type { PlacedTokens } from '../pass-ends.js';
import { turnedBy, type Turning, type TurningTables, turningTables } from '../positions.js';
import { type RotaryAngles, rotaryAngles } from '../rotary-frequencies.js';
import type { Segment } from './segment.js';

/** Positions of the tokens of a pass; freed by its maker. */
export class SegmentPositions implements Turning {
  readonly tokens: PlacedTokens;
  private readonly angles = new Map<RotaryRules, RotaryAngles>();
  private readonly turns = new Map<RotaryRules, TurningTables>();

  constructor(private readonly segments: readonly Segment[]) {
    const ids = segments.flatMap((segment) => Array.from(segment.ids));
    const positions = segments.flatMap(({ start, ids: own }) =>
      Array.from(own, (_, at) => start + at),
    );
    this.tokens = {
      ...{ batchSize: 1, length: ids.length },
      ids: Int32Array.from(ids),
      positions: Int32Array.from(positions),
    };
  }

  turned(x: tf.Tensor4D, rules: RotaryRules): tf.Tensor4D {
    const { positions } = this.tokens;
    const { inverseFrequencies, attentionFactor } = this.firstAngles(rules);
    if (!dependsOnLength(rules) && attentionFactor === 1) {
      return rotaryEmbedding(x, { rotaryDim: rules.width, inverseFrequencies, positions });
    }
    const known = this.turns.get(rules) ?? this.tables(rules);
    this.turns.set(rules, known);
    return turnedBy(x, known);
  }

  /** Of the first text, whose angles are those of all where they do not depend on the length. */
  private firstAngles(rules: RotaryRules): RotaryAngles {
    const known = this.angles.get(rules) ?? rotaryAngles(rules, this.segments[0]!.length);
    this.angles.set(rules, known);
    return known;
  }

  private tables(rules: RotaryRules): TurningTables {
    const { positions, length } = this.tokens;
    const angles: RotaryAngles[] = this.segments.flatMap((segment) => {
      const own = rotaryAngles(rules, segment.length);
      return Array.from(segment.ids, () => own);
    });
    return turningTables(positions, (token) => angles[token]!, [1, length]);
  }

  dispose(): void {
    for (const { cosines, sines } of this.turns.values()) {
      cosines.dispose();
      sines.dispose();
    }
  }
}

/** Whether angles depend on how many tokens a text has. */
const dependsOnLength = ({ scaling }: RotaryRules): boolean =>
  scaling.kind === 'dynamic' || scaling.kind === 'longrope';

/**
 * Which angles a text of so many tokens has, where keys of other angles must be made again:
 * longrope has two sets. Keys of `dynamic` stay as they were turned, as in `transformers`.
 */
export function anglesName(
  blocks: readonly { readonly rotary: RotaryRules | null }[],
  length: number,
) {
  return blocks
    .map(({ rotary }) => rotary?.scaling)
    .map((scaling) => scaling?.kind === 'longrope' && length > scaling.originalPositions)
    .join();
}
