/**
 * Stretches of a file that are wanted at the same time, as few requests.
 */

/** A stretch of a file, and the memory that it fills. */
export interface Stretch {
  readonly position: number;
  readonly target: Uint8Array;
}

/** Stretches that one request brings: from `begin` up to `end`. */
export interface JoinedRange<Part extends Stretch> {
  readonly begin: number;
  readonly end: number;
  readonly parts: readonly Part[];
}

/** What may be joined. */
export interface JoinLimits {
  /** Most bytes between two stretches that are brought, too, and not used. */
  readonly gapBytes: number;
  /** Most bytes of a range of several stretches. */
  readonly mostBytes: number;
}

/** Ranges that cover all stretches, in the order of the file. */
export function joinedRanges<Part extends Stretch>(
  stretches: readonly Part[],
  { gapBytes, mostBytes }: JoinLimits,
): JoinedRange<Part>[] {
  const ranges: { begin: number; end: number; parts: Part[] }[] = [];
  for (const part of stretches.toSorted((a, b) => a.position - b.position)) {
    const begin = part.position;
    const last = ranges.at(-1);
    const end = Math.max(begin + part.target.length, last?.end ?? 0);
    if (last !== undefined && begin <= last.end + gapBytes && end - last.begin <= mostBytes) {
      last.end = end;
      last.parts.push(part);
    } else ranges.push({ begin, end: begin + part.target.length, parts: [part] });
  }
  return ranges;
}

/** Writes the bytes of a file from `position` on into the stretches that they belong to. */
export function writeStretches(
  stretches: readonly Stretch[],
  position: number,
  bytes: Uint8Array,
): void {
  for (const { position: own, target } of stretches) {
    const from = Math.max(position, own);
    const to = Math.min(position + bytes.length, own + target.length);
    if (from < to) target.set(bytes.subarray(from - position, to - position), from - own);
  }
}
