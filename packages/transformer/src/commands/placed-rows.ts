/**
 * Values of batches at the places of their texts among all texts of a file.
 */
import type { Captured } from '../captures.js';
import type { HookPlace } from '../hook-names.js';
import type { TextBatch } from './text-batches.js';

/** An array of all texts. */
export interface TextArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What an array is like. */
export interface ArrayForm {
  /** Its axes. */
  readonly axes: HookPlace['shape'];
  readonly textCount: number;
  /** Tokens of a row of the file. */
  readonly length: number;
  /** Whether of the tokens, or queries, the last one alone is there; default false. */
  readonly isLast?: boolean | undefined;
}

/** An array of zeros for all texts, of the form of values of some of them. */
export function emptyArray({ shape }: Captured, form: ArrayForm): TextArray {
  const sizes = shape.map((size, axis) => {
    const kind = form.axes[axis];
    if (kind === 'B') return form.textCount;
    return isSpread(form, axis) ? form.length : size;
  });
  return { shape: sizes, data: new Float32Array(sizes.reduce((all, size) => all * size, 1)) };
}

/** Whether an axis has all tokens. */
const isSpread = ({ axes, isLast = false }: ArrayForm, axis: number): boolean =>
  axes[axis] === 'T' && !(isLast && axes.indexOf('T') === axis);

/** Puts the values of a batch, filled up on the left, where its texts stand. */
export function placeRows(
  all: TextArray,
  values: Captured,
  { batch, form }: { readonly batch: TextBatch; readonly form: ArrayForm },
): void {
  const rowSize = sizeOf(values.shape.slice(1));
  const wholeSize = sizeOf(all.shape.slice(1));
  for (const [row, place] of batch.places.entries()) {
    const [start, end] = batch.columns[row]!;
    const axes = values.shape.slice(1).map((size, axis): Axis => {
      const whole = all.shape[axis + 1]!;
      const count = isSpread(form, axis + 1) ? end - start : size;
      const to = isSpread(form, axis + 1) ? start : 0;
      return { from: size - count, to, count, size, whole };
    });
    copy(
      { values: values.data, at: row * rowSize },
      { values: all.data, at: place * wholeSize },
      axes,
    );
  }
}

/** Numbers of one axis that are copied. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Numbers of the axis in what is copied, and in the whole. */
  readonly size: number;
  readonly whole: number;
}

interface Place {
  readonly values: Float32Array;
  readonly at: number;
}

function copy(source: Place, target: Place, [axis, ...inner]: readonly Axis[]): void {
  const { from, to, count } = axis!;
  if (inner.length === 0) {
    const own = source.values.subarray(source.at + from, source.at + from + count);
    target.values.set(own, target.at + to);
    return;
  }
  const [step, wholeStep] = [sizeOf(inner.map(({ size }) => size)), sizeOf(inner.map(wholeOf))];
  for (let index = 0; index < count; index += 1) {
    const at = source.at + (from + index) * step;
    const place = target.at + (to + index) * wholeStep;
    copy({ ...source, at }, { ...target, at: place }, inner);
  }
}

const wholeOf = ({ whole }: Axis): number => whole;

const sizeOf = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
