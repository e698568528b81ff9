/**
 * How C and C++ sources of ours are compiled for this machine.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BackendError } from '@lab/core';

/** Folder of the C sources: beside `src` and `dist` alike. */
export function kernelSources(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'kernels', 'native', 'addon.c'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new BackendError('tensor: the C sources of the kernels are gone.');
    folder = parent;
  }
  return join(folder, 'kernels');
}

/** Paths of the files of a folder whose names are wanted, in the order of the names. */
export const inFolder = (folder: string, isWanted: (name: string) => boolean): string[] =>
  readdirSync(folder)
    .filter(isWanted)
    .sort()
    .map((name) => join(folder, name));

/** The two libraries of a TensorFlow. */
export const tensorflowLibraries = (tensorflow: string): string[] =>
  inFolder(tensorflow, (name) => /^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(name));

/** Headers of this Node's addon interface. */
export function nodeHeaders(): string {
  const prefix = dirname(dirname(process.execPath));
  const folder = join(prefix, 'include', 'node');
  if (existsSync(join(folder, 'node_api.h'))) return folder;
  throw new BackendError(`tensor: the headers of Node ${process.version} are not in ${folder}.`, {
    help: 'Install Node with its headers, e.g. from nodejs.org or the package nodejs-dev.',
  });
}

/** Flags that leave the symbols of Node to Node. */
export const linkFlags = (): string[] =>
  process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];

/**
 * Runs a compiler; what it says on standard error.
 *
 * @throws {BackendError} when it is not there, or refuses: with the first error it names.
 */
export async function compile(compiler: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(compiler, [...args], { maxBuffer: 1 << 26 })).stderr;
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string };
    if (code === 'ENOENT' || code === 'EACCES') throw missingCompiler(compiler, cause);
    const first = stderr.split('\n').find((line) => line.includes('error')) ?? stderr.slice(0, 300);
    throw new BackendError(`tensor: ${compiler} could not compile our kernels: ${first.trim()}`, {
      cause,
      help: 'Use GCC 12 or Clang 16, or newer: --compiler g++-12. The backend wasm works without.',
    });
  }
}

function missingCompiler(compiler: string, cause: unknown): BackendError {
  return new BackendError(`tensor: there is no compiler ${compiler} on this machine.`, {
    cause,
    help: 'Install one (Debian: apt install g++) or name it: --compiler PATH. wasm works without.',
  });
}
