/**
 * `lab-tensor setup`: TensorFlow under tfjs-node, built for this machine and tested.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackendError } from '@lab/core';
import { build, findBuild, type NativeBuild } from './build.js';
import { findCudaCompiler } from './build-operations.js';
import { findTensorflow, type TensorflowFolder } from './find-tensorflow.js';
import { type SetupRecord, writeSetup } from './places.js';
import { tfjsNode, tfjsNodeInstall } from './stock-binding.js';

const { name: PACKAGE, version: TFJS_VERSION } = tfjsNode;
const installHelp = `Run: ${tfjsNodeInstall}`;

/** What a user may say about the setup. */
export interface SetUpOptions {
  readonly isGpu: boolean;
  readonly tensorflow?: string;
  readonly python?: string;
  readonly compiler?: string;
  /** Where the user's own packages are looked for first. */
  readonly folder: string;
  /** Told what is done, before each step. */
  readonly onStep?: (text: string) => void;
}

/** What a setup has done. */
export interface SetUpReport {
  readonly record: SetupRecord;
  readonly tensorflow: TensorflowFolder;
  readonly build: NativeBuild;
  /** Whether an earlier setup had made that build. */
  readonly isReused: boolean;
}

/** Folder of tfjs-node, seen from the user's folder or from this package. */
function findTfjsNode(folder: string): string {
  const from = [pathToFileURL(join(folder, 'package.json')).href, import.meta.url];
  for (const place of from) {
    try {
      const found = dirname(createRequire(place).resolve(`${PACKAGE}/package.json`));
      return checkTfjsNode(found);
    } catch (error) {
      if (error instanceof BackendError) throw error;
    }
  }
  throw new BackendError(`tensor: ${PACKAGE} is not installed.`, {
    help: `${installHelp} (pnpm add ${PACKAGE}@${TFJS_VERSION})`,
  });
}

function checkTfjsNode(folder: string): string {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  if (version === TFJS_VERSION && existsSync(join(folder, 'binding', 'tfjs_backend.cc'))) {
    return folder;
  }
  throw new BackendError(`tensor: ${PACKAGE} ${version} in ${folder} is not ${TFJS_VERSION}.`, {
    help: installHelp,
  });
}

/**
 * Finds a TensorFlow, compiles the binding and our kernels for it, unless it has been done, and
 * keeps where they are.
 *
 * @throws {BackendError} when something is missing, saying what to install; nothing changes then.
 */
export async function setUp(options: SetUpOptions): Promise<SetUpReport> {
  const { isGpu, compiler = process.env['CXX'] ?? 'g++', folder, onStep } = options;
  const wanted = { folder: options.tensorflow, python: options.python };
  onStep?.('looking for TensorFlow');
  const tensorflow = findTensorflow({ ...definedOf(wanted), isGpu });
  const tfjsNode = findTfjsNode(folder);
  const record: SetupRecord = {
    tensorflow: tensorflow.folder,
    tensorflowVersion: tensorflow.version,
    isCuda: tensorflow.isCuda,
    nvcc: tensorflow.isCuda ? findCudaCompiler() : null,
    ...{ tfjsNode, compiler, date: new Date().toISOString().slice(0, 10) },
  };
  const earlier = findBuild(record);
  const compilers = [compiler, record.nvcc].filter(Boolean).join(' and ');
  if (earlier === null) onStep?.(`compiling with ${compilers}`);
  const built = earlier ?? (await build(record, compiler));
  writeSetup(record);
  return { record, tensorflow, build: built, isReused: earlier !== null };
}

/** The entries that have a value. */
function definedOf<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}
