/**
 * Where two descriptions of a model say something else.
 */
import type { Architecture, BlockRules, RotaryRules } from '../architecture.js';
import { rotaryAngles } from '../rotary-frequencies.js';

/** Numbers of metadata are float32. */
const TOLERANCE = 1e-6;

const isClose = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));

/** Names, what follows from how weights are stored, and what no number of a pass depends on. */
const ignored = new Set(['modelType', 'modules', 'gainOffset', 'contextTokens']);

/**
 * Fields in which the second architecture would compute something else than the first, each with
 * both values.
 */
export function architectureDifferences(own: Architecture, other: Architecture): string[] {
  const { blocks, ...others } = own;
  const { blocks: otherBlocks, ...rest } = other;
  const found = fieldDifferences(others, rest, '');
  for (const [index, block] of blocks.entries()) {
    const same = otherBlocks[index];
    // One place says it: the others will have the same.
    if (found.length > 0 || same === undefined) break;
    found.push(...blockDifferences(block, same, `blocks[${index}].`));
  }
  return found;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function fieldDifferences(own: object, other: object, path: string): string[] {
  const [left, right] = [own as Fields, other as Fields];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].flatMap((name) => {
    if (ignored.has(name)) return [];
    const [a, b] = [left[name], right[name]];
    if (isFields(a) && isFields(b)) return fieldDifferences(a, b, `${path}${name}.`);
    const isSame = typeof a === 'number' && typeof b === 'number' ? isClose(a, b) : a === b;
    return isSame ? [] : [`${path}${name} ${JSON.stringify(a)}, read as ${JSON.stringify(b)}`];
  });
}

function blockDifferences(own: BlockRules, other: BlockRules, path: string): string[] {
  const { rotary, ...rules } = own;
  const { rotary: otherRotary, ...otherRules } = other;
  const found = fieldDifferences(rules, otherRules, path);
  const isSame =
    rotary === null || otherRotary === null
      ? rotary === otherRotary
      : turnAlike(rotary, otherRotary);
  return isSame ? found : [...found, `${path}rotary, read with other angles`];
}

/** Whether angles agree for texts of any length. */
function turnAlike(own: RotaryRules, other: RotaryRules): boolean {
  if (own.width !== other.width) return false;
  return lengthsOf(own).every((length) => {
    const [left, right] = [rotaryAngles(own, length), rotaryAngles(other, length)];
    if (!isClose(left.attentionFactor, right.attentionFactor)) return false;
    const angles = right.inverseFrequencies;
    return left.inverseFrequencies.every((angle, pair) => isClose(angle, angles[pair]!));
  });
}

/** Lengths on both sides of those at which angles change. */
function lengthsOf({ scaling }: RotaryRules): number[] {
  const at = 'originalPositions' in scaling ? scaling.originalPositions : 1;
  return [1, at, at + 1, 1_000_000];
}
