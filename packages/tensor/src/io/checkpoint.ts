import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, writeFileAtomic } from '@lab/core';
import type { ArrayRecord } from './array-record.js';
import type { WritableArray } from './checked-record.js';
import { withFileSource } from './file-source.js';
import { parseSafetensorsHeader } from './safetensors-header.js';
import { safetensorsChunks, tensorRecord } from './safetensors.js';

const manifestName = 'checkpoint.json';
const tensorFiles = ['tensors-a.safetensors', 'tensors-b.safetensors'] as const;
const schemaVersion = 1;
const temporaryName = /^\.(checkpoint\.json|tensors-[ab]\.safetensors)\..*\.tmp$/;

/** What a checkpoint holds. */
export interface Checkpoint {
  tensors: Record<string, ArrayRecord>;
  /** Plain data as JSON holds it. */
  meta: unknown;
}

interface Manifest {
  schemaVersion: number;
  tensors: { file: string; bytes: number; sha256: string };
  meta: unknown;
}

/**
 * Writes a checkpoint folder, atomically as a whole: a crash, a kill or a full disk at any moment
 * leaves the old checkpoint or the new one, complete.
 *
 * The tensors go to whichever of two safetensors files the present manifest does not name; then
 * the manifest is replaced by a rename, which is the moment of change. The disk must hold both.
 *
 * @param dir - the folder; made if it is not there.
 * @param content - `tensors` by name (`dtype` may be left out), `meta`: anything that JSON holds.
 * @throws {DataError} when the disk is full or the folder cannot be written.
 *
 * @example
 * const weight = { shape: [2], data: Float32Array.of(1, 2) };
 * await writeCheckpoint('checkpoint', { tensors: { weight }, meta: { epoch: 7 } });
 * const { meta } = await readCheckpoint('checkpoint');
 * meta; // => { epoch: 7 }
 */
export async function writeCheckpoint(
  dir: string,
  content: { tensors: Readonly<Record<string, WritableArray>>; meta: unknown },
): Promise<void> {
  makeFolder(dir);
  removeLeftovers(dir);
  const file = existsSync(join(dir, manifestName)) ? otherFile(currentFile(dir)) : tensorFiles[0];
  const path = join(dir, file);
  rmSync(path, { force: true });
  const hash = createHash('sha256');
  let bytes = 0;
  writeFileAtomic(path, hashed());
  function* hashed() {
    for (const chunk of safetensorsChunks(content.tensors, {})) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const tensors = { file, bytes, sha256: hash.digest('hex') };
  try {
    const manifest: Manifest = { schemaVersion, tensors, meta: content.meta };
    writeFileAtomic(join(dir, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  rmSync(join(dir, otherFile(file)), { force: true });
}

/**
 * Reads a checkpoint folder and verifies the hash of its tensors.
 *
 * @param dir - the folder that {@link writeCheckpoint} wrote.
 * @returns its tensors and meta data.
 * @throws {DataError} when there is none, it is damaged, or of another version.
 */
export async function readCheckpoint(dir: string): Promise<Checkpoint> {
  const manifest = readManifest(dir);
  const path = join(dir, manifest.tensors.file);
  return withFileSource(path, async (source) => {
    const hash = createHash('sha256');
    const header = parseSafetensorsHeader(source);
    const head = new Uint8Array(header.dataOffset);
    source.read(head, 0);
    hash.update(head);
    const records: [string, ArrayRecord][] = [];
    for (const [name, entry] of header.entries) {
      const bytes = new Uint8Array(entry.end - entry.begin);
      await source.readLarge(bytes, header.dataOffset + entry.begin);
      hash.update(bytes);
      records.push([name, tensorRecord(entry, bytes, { path, name })]);
    }
    if (hash.digest('hex') !== manifest.tensors.sha256) {
      throw new DataError(`${path}: differs from the hash in ${manifestName}.`, {
        file: path,
        help: 'The checkpoint is damaged; start from another one or from the beginning.',
      });
    }
    return { tensors: Object.fromEntries(records), meta: manifest.meta };
  });
}

/** Whether the folder holds a checkpoint (its content is not verified). */
export function hasCheckpoint(dir: string): boolean {
  return existsSync(join(dir, manifestName));
}

function otherFile(file: string): string {
  return file === tensorFiles[0] ? tensorFiles[1] : tensorFiles[0];
}

function currentFile(dir: string): string {
  return readManifest(dir).tensors.file;
}

function readManifest(dir: string): Manifest {
  const path = join(dir, manifestName);
  let manifest: Partial<Manifest> | null;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest> | null;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError(`${path}: ${isMissing ? 'no such file' : 'cannot be read as JSON'}.`, {
      file: path,
      help: 'Give the folder of a checkpoint.',
      cause,
    });
  }
  if (manifest?.schemaVersion !== schemaVersion) {
    throw new DataError(
      `${path}: has version ${String(manifest?.schemaVersion)}, this program reads ` +
        `${schemaVersion}.`,
      { file: path, help: 'Read it with the version of the program that wrote it.' },
    );
  }
  const known = tensorFiles as readonly unknown[];
  if (known.includes(manifest.tensors?.file) && typeof manifest.tensors?.sha256 === 'string') {
    return manifest as Manifest;
  }
  throw new DataError(`${path}: names no tensor file with its hash.`, {
    file: path,
    help: 'The checkpoint is damaged; start from another one or from the beginning.',
  });
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new DataError(`${dir}: the folder cannot be made (${code}).`, {
      file: dir,
      help: 'Free some space, or write to another place.',
      cause,
    });
  }
}

/** Removes temporary files of writes that were killed. */
function removeLeftovers(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (temporaryName.test(name)) rmSync(join(dir, name), { force: true });
  }
}
