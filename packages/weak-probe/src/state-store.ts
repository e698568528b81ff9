/**
 * Hidden states on disk, read one state at a time.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, readJsonLines, writeFileAtomic } from '@lab/core';
import { readNpy } from '@lab/tensor/io';
import { z } from 'zod';
import { parsed, statesFolder } from './run-files.js';

/** Where in a block values are taken. */
export type StateSite = 'attention' | 'heads' | 'mid' | 'mlp' | 'residual';

/** Which token's values are kept, or how those of all tokens become one row. */
export type StatePositions = 'last' | 'max' | 'mean' | 'prompt-end' | 'tokens';

/** A model as a store names it. */
export interface StoredModel {
  /** Folder, or `example:NAME`, as it was given. */
  readonly path: string;
  /** SHA-256, see `checkpointFingerprint` of `@lab/transformer`. */
  readonly fingerprint: string;
  readonly modelType: string;
  /** L, blocks. */
  readonly layerCount: number;
}

/** What the states of a store are. */
export interface StateStoreAbout {
  readonly schemaVersion: 1;
  readonly model: StoredModel;
  readonly tokenizerFingerprint: string;
  /** Format of the prompts, and the system's text in it. */
  readonly format: string;
  readonly system: string;
  readonly normalisation: string;
  readonly site: StateSite;
  readonly positions: StatePositions;
  /** Whether the last state of the residual stands behind the final norm. */
  readonly isNormed: boolean;
  /** S: L + 1 of the residual, else L. */
  readonly stateCount: number;
  /** D, numbers in a row. */
  readonly width: number;
  /** H, with the site `heads` alone: D / H numbers of a row are one head's. */
  readonly headCount?: number | undefined;
  /** N, rows in all. */
  readonly rowCount: number;
  /** Classes in the order of their prompts. */
  readonly classes: readonly string[];
  /** SHA-256 over all rows' ids, labels and texts. */
  readonly promptsSha256: string;
}

/** Whose states a row holds. */
export interface StateRow {
  readonly id: string;
  readonly label: string;
  readonly promptSha256: string;
  /** Tokens of the text, format in it. */
  readonly tokens: number;
  /** Place of the token, with positions `tokens` alone. */
  readonly token?: number | undefined;
  /** There too: place of the last token of the prompt itself, before a format goes on. */
  readonly promptEnd?: number | undefined;
}

/** Collected states; see {@link openStateStore}. */
export interface StateStore {
  readonly about: StateStoreAbout;
  /** S: states 0..S-1; state s of the residual stands behind s blocks. */
  readonly stateCount: number;
  /** D. */
  readonly width: number;
  /** N. */
  readonly rowCount: number;
  readonly rows: readonly StateRow[];
  /** Class of each row as its place in `about.classes`, `[N]`. */
  readonly labels: Int32Array;
  /**
   * Rows of one state, `[N, D]`, row-major, float32; nothing of other states is read.
   *
   * @throws {ConfigError} for a state out of range.
   */
  readState(state: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const aboutSchema = z.object({
  schemaVersion: z.literal(1),
  model: z.object({
    path: z.string(),
    fingerprint: z.string(),
    modelType: z.string(),
    layerCount: z.int(),
  }),
  tokenizerFingerprint: z.string(),
  format: z.string(),
  system: z.string(),
  normalisation: z.string(),
  site: z.enum(['residual', 'mid', 'attention', 'mlp', 'heads']),
  positions: z.enum(['last', 'prompt-end', 'mean', 'max', 'tokens']),
  isNormed: z.boolean(),
  stateCount: z.int().min(1),
  width: z.int().min(1),
  headCount: z.int().min(1).optional(),
  rowCount: z.int().min(0),
  classes: z.array(z.string()),
  promptsSha256: z.string(),
});

/** File names in the folder of a store. */
export const storeFiles = {
  about: 'about.json',
  rows: 'rows.jsonl',
  /** One NumPy array, `[N, D]` of float32, a state. */
  state: (state: number) => `${String(state).padStart(2, '0')}.npy`,
} as const;

/** Writes what the states of a store are. */
export function writeAbout(folder: string, about: StateStoreAbout): void {
  writeFileAtomic(join(folder, storeFiles.about), `${JSON.stringify(about, null, 2)}\n`);
}

/**
 * What the states of a store are.
 *
 * @throws {DataError} where there is none, or one of another version.
 */
export function readAbout(folder: string): StateStoreAbout {
  const path = join(folder, storeFiles.about);
  if (!existsSync(path)) {
    throw new DataError(`${folder}: holds no states (no ${storeFiles.about}).`, {
      file: path,
      help: 'Name the folder of a run of "weak-probe collect".',
    });
  }
  const found = aboutSchema.safeParse(parsed(path));
  if (found.success) return found.data;
  const issue = found.error.issues[0];
  throw new DataError(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`, {
    file: path,
    help: 'It is damaged or of another version: collect the states again.',
  });
}

/** Rows of a store that are there, in order. */
export const readRows = (folder: string): StateRow[] =>
  readJsonLines(join(folder, storeFiles.rows)).rows as StateRow[];

/**
 * Opens collected states.
 *
 * @param dir - folder of a run, or its folder `states`.
 * @throws {DataError} where there are none, or not all yet.
 */
export function openStateStore(dir: string): StateStore {
  const inside = join(dir, statesFolder);
  const folder = existsSync(join(inside, storeFiles.about)) ? inside : dir;
  const about = readAbout(folder);
  const rows = readRows(folder);
  const { stateCount, width, rowCount, classes } = about;
  if (rows.length !== rowCount) {
    throw new DataError(`${folder}: ${rows.length} of ${rowCount} rows are there.`, {
      file: folder,
      help: `Finish it: weak-probe collect --resume ${dir}`,
    });
  }
  const places = new Map(classes.map((name, index) => [name, index]));
  return {
    ...{ about, stateCount, width, rowCount, rows },
    labels: Int32Array.from(rows, ({ label }) => places.get(label) ?? -1),
    readState: (state) => readState(folder, about, state),
    close: async () => undefined,
  };
}

async function readState(
  folder: string,
  { stateCount, width, rowCount }: StateStoreAbout,
  state: number,
): Promise<Float32Array> {
  assertState(state, stateCount);
  const path = join(folder, storeFiles.state(state));
  const { shape, data } = await readNpy(path);
  if (shape[0] === rowCount && shape[1] === width && data instanceof Float32Array) return data;
  throw new DataError(`${path}: is [${shape.join(', ')}], not [${rowCount}, ${width}].`, {
    file: path,
    help: 'The file is of other states; collect them again.',
  });
}

/**
 * Nothing for a state that there is.
 *
 * @throws {ConfigError} else, with the range.
 */
export function assertState(state: number, stateCount: number): void {
  if (Number.isInteger(state) && state >= 0 && state < stateCount) return;
  throw new ConfigError(`weak-probe/states: there is no state ${state}.`, {
    help: `Give 0 to ${stateCount - 1}: 0 is the embedding, k stands behind k blocks.`,
  });
}
