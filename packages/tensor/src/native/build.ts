/**
 * Machine code of our kernels, and tfjs-node's binding on a TensorFlow, compiled for this machine.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BackendError } from '@lab/core';
import { version } from '../version.js';
import { buildOperations, cudaSources } from './build-operations.js';
import {
  compile,
  inFolder,
  kernelSources,
  linkFlags,
  nodeHeaders,
  tensorflowLibraries,
} from './compile.js';
import { buildsFolder, type SetupRecord } from './places.js';

/** What a build gives: paths of addons; the kernels alone without a TensorFlow. */
export interface NativeBuild {
  readonly kernels: string;
  readonly binding: string | null;
  /** Our kernels as an operation of TensorFlow; on Linux. */
  readonly operations: string | null;
}

const hasOperations = process.platform === 'linux';

/** All C and C++ sources, headers included. */
function sourceFiles(): string[] {
  const folder = kernelSources();
  const isSource = (name: string) => /\.(c|cc|h)$/.test(name);
  return [...inFolder(folder, isSource), ...inFolder(join(folder, 'native'), isSource)];
}

/** Name of the build that fits this machine, this Node, this package and that TensorFlow. */
export function buildKey(setup: SetupRecord | null): string {
  const hash = createHash('sha256');
  for (const path of sourceFiles()) hash.update(readFileSync(path));
  const machine = [process.platform, process.arch, cpus()[0]?.model, process.versions.node];
  hash.update(JSON.stringify([version, machine, setup?.tensorflow, setup?.tensorflowVersion]));
  hash.update(JSON.stringify([setup?.tfjsNode, setup?.compiler, setup?.nvcc ?? null]));
  if (setup?.nvcc) for (const path of cudaSources()) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

/** The build that fits, or null when it has not been made. */
export function findBuild(setup: SetupRecord | null): NativeBuild | null {
  const folder = join(buildsFolder(), buildKey(setup));
  const kernels = join(folder, 'lab_kernels.node');
  const binding = setup === null ? null : join(folder, 'tfjs_binding.node');
  const operations = setup === null || !hasOperations ? null : join(folder, 'lab_operations.node');
  if ([kernels, binding, operations].some((path) => path !== null && !existsSync(path)))
    return null;
  return { kernels, binding, operations };
}

/** Flags of every C source; a product and a sum stay two roundings but where the code says so. */
export const C_FLAGS: readonly string[] = [
  ...['-O3', '-std=gnu17', '-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math'],
  ...['-fPIC', '-fvisibility=hidden', '-pthread', '-w'],
];

/** Machine flags: all that this processor has. */
const nativeFlags = (): string[] => [process.arch === 'x64' ? '-march=native' : '-mcpu=native'];

/** The C compiler beside a C++ one. */
export const cOf = (compiler: string): string => {
  const name = basename(compiler);
  const own = name
    .replace(/clang\+\+/, 'clang')
    .replace(/g\+\+/, 'gcc')
    .replace(/c\+\+/, 'cc');
  return compiler.slice(0, compiler.length - name.length) + own;
};

/** Compiles the kernels as a Node addon. */
export async function buildKernels(
  target: string,
  { compiler, flags = nativeFlags() }: { compiler: string; flags?: readonly string[] },
): Promise<void> {
  const folder = kernelSources();
  const names = ['addon.c', 'pages.c', 'team.c', 'tile.c'];
  const own = names.map((name) => join(folder, 'native', name));
  // The products' tile is another one on a processor.
  const sources = inFolder(folder, (name) => name.endsWith('.c') && name !== 'tile.c');
  await compile(cOf(compiler), [
    ...[...C_FLAGS, ...flags, '-shared', ...linkFlags(), `-I${nodeHeaders()}`],
    ...[...own, ...sources, '-o', target],
  ]);
}

/** Compiles tfjs-node's binding, with our additions, on a TensorFlow. */
async function buildBinding(target: string, setup: SetupRecord): Promise<void> {
  const { tensorflow, tfjsNode, compiler } = setup;
  const includes = [
    ...[nodeHeaders(), join(tensorflow, 'include'), join(tfjsNode, 'binding'), tfjsNode],
    ...[dirname(tfjsNode), join(tensorflow, 'include/external/farmhash_archive/src')],
  ].map((folder) => `-I${folder}`);
  const common = [
    ...['-O2', '-std=c++17', '-fno-access-control', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8'],
    ...linkFlags(),
  ];
  const source = join(kernelSources(), 'native', 'tensorflow.cc');
  const libraries = [...tensorflowLibraries(tensorflow), `-Wl,-rpath,${tensorflow}`];
  const rest = [...includes, source, ...libraries, '-o', target];
  try {
    await compile(compiler, [...common, '-DLAB_INTERNALS', ...rest]);
  } catch (error) {
    if (error instanceof BackendError && /no compiler/.test(error.message)) throw error;
    // Headers of another kind: no updates in place, as nobody tells who else has a buffer.
    await compile(compiler, [...common, ...rest]);
  }
}

/**
 * Builds what fits this machine and setup, whole or not at all.
 *
 * @param setup - what to build the binding for; null for the kernels alone.
 * @throws {BackendError} without a compiler, headers or the permission to write, saying what to do.
 */
export async function build(setup: SetupRecord | null, compiler: string): Promise<NativeBuild> {
  const key = buildKey(setup);
  const target = join(buildsFolder(), key);
  const folder = createFolder(dirname(target));
  try {
    const kernels = buildKernels(join(folder, 'lab_kernels.node'), { compiler });
    await Promise.all([
      kernels,
      ...(setup === null ? [] : [buildBinding(join(folder, 'tfjs_binding.node'), setup)]),
      ...(setup === null || !hasOperations
        ? []
        : [buildOperations({ folder, setup, key, kernels })]),
    ]);
    // Another program may have made the same build meanwhile, and be using it: that one stays.
    if (findBuild(setup) === null) {
      rmSync(target, { recursive: true, force: true });
      renameSync(folder, target);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return findBuild(setup) as NativeBuild;
}

/** A new folder beside the builds, for one on its way. */
function createFolder(parent: string): string {
  try {
    mkdirSync(parent, { recursive: true });
    return mkdtempSync(join(parent, 'new-'));
  } catch (cause) {
    throw new BackendError(`tensor: builds cannot be written to ${parent}.`, {
      cause,
      help: `Give a folder that can be written: LAB_TENSOR_HOME=${join(tmpdir(), 'lab-tensor')}.`,
    });
  }
}
