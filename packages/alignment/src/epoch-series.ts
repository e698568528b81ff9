/**
 * Numbers of epochs as points of a line.
 */
import type { EpochRecord } from './epoch-record.js';

/** Points of one number per epoch; epochs without it are left out. */
export function series<R extends EpochRecord = EpochRecord>(
  name: string,
  epochs: readonly R[],
  value: (record: R) => number | null | undefined,
) {
  const points = epochs.flatMap((record) => {
    const y = value(record);
    return y === null || y === undefined || !Number.isFinite(y) ? [] : [{ x: record.epoch + 1, y }];
  });
  return { name, points };
}

/** Whether there is anything to draw. */
export const hasPoints = ({ points }: { readonly points: readonly unknown[] }) => points.length > 0;

/** The x axis of figures over the epochs. */
export const epochAxis = { label: 'epoch' };
