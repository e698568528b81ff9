/**
 * What the page of a run is made of.
 */
import type { RunDigest } from './run-digest.js';
import type { RunInput } from './run-input.js';
import type { TimelinePart } from './run-timeline.js';

/** What a row was asked. */
export interface ShownRequest {
  readonly id: string;
  readonly text: string;
}

/** Everything that the page is made of. */
export interface RunPageInput {
  readonly digest: RunDigest;
  readonly source: RunInput;
  /** What the prompt says of the rows that are shown, by id: the fields in its slots. */
  readonly questions: ReadonlyMap<string, string>;
  /** What the first of them was asked, message by message; null where the input is not there. */
  readonly example: ShownRequest | null;
  /** Rows of the input, of this shard; null where the input is not there. */
  readonly totalRows: number | null;
  readonly timeline: readonly TimelinePart[];
  /** SHA-256 of the predictions; null where there are none in one file. */
  readonly predictionsHash: string | null;
}
