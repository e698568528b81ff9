/**
 * Where what `lab-tensor setup` builds is kept: outside node_modules, so that a reinstall keeps it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '@lab/core';

/** What `lab-tensor setup` found, for the programs that follow. */
export interface SetupRecord {
  /** Folder of the Python package `tensorflow`. */
  readonly tensorflow: string;
  readonly tensorflowVersion: string;
  /** Whether that TensorFlow was built for CUDA. */
  readonly isCuda: boolean;
  /** Folder of the package `@tensorflow/tfjs-node`. */
  readonly tfjsNode: string;
  /** The C++ compiler. */
  readonly compiler: string;
  /** The compiler of CUDA bodies; null without one, or with a TensorFlow for the CPU. */
  readonly nvcc?: string | null;
  /** ISO date of the setup. */
  readonly date: string;
}

/** Names the folder instead of the user's data folder. */
const HOME_SWITCH = 'LAB_TENSOR_HOME';

/** The folder of all builds. */
export function nativeFolder(): string {
  const named = process.env[HOME_SWITCH];
  if (named !== undefined && named !== '') return named;
  const data = process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  return join(data, 'lab-tensor');
}

/** The folder of the builds, each in one that is named by its key. */
export const buildsFolder = (): string => join(nativeFolder(), 'builds');

const recordPath = (): string => join(nativeFolder(), 'setup.json');

/** The record of the last setup, or null. */
export function readSetup(): SetupRecord | null {
  try {
    const found: unknown = JSON.parse(readFileSync(recordPath(), 'utf8'));
    return isRecord(found) ? found : null;
  } catch {
    return null; // never set up, or removed
  }
}

function isRecord(value: unknown): value is SetupRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { tensorflow, tensorflowVersion, tfjsNode, compiler } = value as Record<string, unknown>;
  return [tensorflow, tensorflowVersion, tfjsNode, compiler].every((x) => typeof x === 'string');
}

/** Keeps the record of a setup. */
export function writeSetup(record: SetupRecord): void {
  mkdirSync(nativeFolder(), { recursive: true });
  writeFileAtomic(recordPath(), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Removes everything that a setup has made; whether there was anything.
 *
 * What else lies in the folder stays: its user may have named one with files of another kind.
 */
export function removeSetup(): boolean {
  const made = [recordPath(), buildsFolder()].filter((path) => existsSync(path));
  for (const path of made) rmSync(path, { recursive: true });
  const folder = nativeFolder();
  if (made.length > 0 && readdirSync(folder).length === 0) rmdirSync(folder);
  return made.length > 0;
}
