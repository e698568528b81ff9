/**
 * Buckets of distances between tokens.
 */

/** How distances are put into buckets. */
export interface BucketRules {
  readonly bucketCount: number;
  readonly maxDistance: number;
  /** Whether keys behind a query have buckets of their own. */
  readonly isBidirectional: boolean;
}

/**
 * Bucket of a distance: exact up to half of the buckets, logarithmic up to the largest distance.
 * Source: Raffel et al., T5, section 2.1; in float32 steps, as `transformers` has it.
 *
 * @param distance - position of the key less that of the query.
 */
export function relativeBucket(
  distance: number,
  { bucketCount, maxDistance, isBidirectional }: BucketRules,
): number {
  const count = isBidirectional ? Math.floor(bucketCount / 2) : bucketCount;
  const first = isBidirectional && distance > 0 ? count : 0;
  const far = isBidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = Math.floor(count / 2);
  if (far < exact) return first + far;
  const f32 = Math.fround;
  const share = f32(f32(Math.log(f32(far / exact))) / f32(Math.log(maxDistance / exact)));
  const large = exact + Math.trunc(f32(share * (count - exact)));
  return first + Math.min(large, count - 1);
}
