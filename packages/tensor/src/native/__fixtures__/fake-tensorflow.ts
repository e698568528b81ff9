import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';

/** Names of the libraries that are linked with, on this platform. */
export const LIBRARIES =
  process.platform === 'darwin'
    ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
    : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** The header that is looked for. */
export const HEADER = 'include/tensorflow/c/eager/c_api.h';

/** Writes a file and the folders above it. */
function writeDeep(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A folder with all that is looked at in an installed TensorFlow; nothing in it would link. */
export function fakeTensorflow(
  distInfo: string | null = 'tensorflow_cpu-2.21.0.dist-info',
  buildInfo: string | null = "build_info = {'is_cuda_build', False}",
): string {
  const packages = temporaryFolder();
  const folder = join(packages, 'tensorflow');
  for (const name of [...LIBRARIES, HEADER]) writeDeep(join(folder, name));
  if (distInfo !== null) mkdirSync(join(packages, distInfo));
  if (buildInfo !== null) writeDeep(join(folder, 'python/platform/build_info.py'), buildInfo);
  return folder;
}

/** A program of `sh`. */
export function fakeProgram(name: string, body: string, folder = temporaryFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Path of a Node in a folder with its headers, or without. */
export function fakeNode(hasHeaders: boolean): string {
  const prefix = temporaryFolder();
  if (hasHeaders) writeDeep(join(prefix, 'include', 'node', 'node_api.h'));
  return join(prefix, 'bin', 'node');
}

/** A pair of compilers that write an empty file, and a line on each call to `log` beside them. */
export function fakeCompiler(): string {
  const folder = temporaryFolder();
  const body = `echo "$0" >> '${folder}/log'
while [ "$1" != -o ]; do shift; done
: > "$2"`;
  fakeProgram('gcc', body, folder);
  return fakeProgram('g++', body, folder);
}
