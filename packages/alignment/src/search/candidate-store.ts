/**
 * A folder of rows and candidates, batch by batch: a search that was killed goes on at the batch
 * that it was at.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, makeFolder, sha256, writeFileAtomic } from '@lab/core';
import { openHostTable, writeHostTable } from '@lab/tensor';
import { readSafetensors, writeSafetensors } from '@lab/tensor/io';
import type { HostSides } from '../learner.js';
import type { Neighbours } from './neighbours.js';

/** The two directions of a search. */
export type Direction = 'forward' | 'backward';

/** Rows and found candidates on disk. */
export interface CandidateStore {
  /** The rows of both sides, where they were written whole. */
  rows(sizes: RowSizes): Promise<HostSides | undefined>;
  writeRows(sides: HostSides): Promise<void>;
  /** A finished batch; undefined where there is none. */
  read(direction: Direction, batch: number, shape: BatchShape): Promise<Neighbours | undefined>;
  write(direction: Direction, batch: number, found: Neighbours): Promise<void>;
}

/** Rows of both sides. */
export interface RowSizes {
  readonly left: number;
  readonly right: number;
}

/** Rows of a batch and candidates of a row. */
export interface BatchShape {
  readonly count: number;
  readonly width: number;
}

const manifestName = 'search.json';

/** Whether a file of the folder is of a store: all others are left alone. */
const isOwn = (name: string) =>
  /^(search\.json|left|right|(forward|backward)-\d{4,}\.safetensors)$/.test(name);

/**
 * A store in a folder: `left/` and `right/` hold the rows as npy files of 256 MiB,
 * `forward-0000.safetensors` and so on the candidates of 16,384 rows each.
 *
 * @param folder - made when it is not there; a store of another key is removed from it.
 * @param key - plain data on which rows and candidates depend.
 * @throws {DataError} when the folder cannot be made or written.
 */
export function createCandidateStore(folder: string, key: unknown): CandidateStore {
  const manifest = `${JSON.stringify({ version: 1, key: sha256(canonicalJson(key)) })}\n`;
  const manifestPath = join(folder, manifestName);
  const isSame = existsSync(manifestPath) && readFileSync(manifestPath, 'utf8') === manifest;
  if (!isSame) {
    makeFolder(folder);
    for (const name of readdirSync(folder)) {
      if (isOwn(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
    writeFileAtomic(manifestPath, manifest);
  }
  const pathOf = (direction: Direction, batch: number) =>
    join(folder, `${direction}-${String(batch).padStart(4, '0')}.safetensors`);
  return {
    rows: async (sizes) => {
      const left = await openHostTable(join(folder, 'left'));
      const right = await openHostTable(join(folder, 'right'));
      if (left?.rowCount !== sizes.left || right?.rowCount !== sizes.right) return undefined;
      return { left, right };
    },
    writeRows: async (sides) => {
      for (const side of ['left', 'right'] as const) {
        await writeHostTable(join(folder, side), { table: sides[side], optimizer: null });
      }
    },
    read: async (direction, batch, { count, width }) => {
      const path = pathOf(direction, batch);
      if (!existsSync(path)) return undefined;
      const { indices, cosines } = (await readSafetensors(path)).tensors;
      const isWhole = [indices, cosines].every(
        (array) => array?.shape[0] === count && array.shape[1] === width,
      );
      if (!isWhole) return undefined;
      return {
        indices: indices!.data as Int32Array,
        cosines: cosines!.data as Float32Array,
        width,
      };
    },
    write: async (direction, batch, { indices, cosines, width }) => {
      const shape = [indices.length / width, width];
      await writeSafetensors(pathOf(direction, batch), {
        indices: { shape, data: indices },
        cosines: { shape, data: cosines },
      });
    },
  };
}
