/**
 * Our kernels as an operation of TensorFlow, compiled for this machine; see kernels/native/ops.cc.
 */
import { accessSync, constants, rmSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import {
  compile,
  inFolder,
  kernelSources,
  linkFlags,
  nodeHeaders,
  tensorflowLibraries,
} from './compile.js';
import type { SetupRecord } from './places.js';

/** Where the CUDA toolkit is put when it is not on the path. */
const CUDA_FOLDER = '/usr/local/cuda/bin';

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not a program
  }
}

/** The compiler of CUDA bodies on this machine, or null. */
export function findCudaCompiler(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), CUDA_FOLDER];
  return folders.map((folder) => join(folder, 'nvcc')).find(canRun) ?? null;
}

/** Flags by which nvcc finds the headers and libraries of its toolkit, wherever that lies. */
async function toolkitFlags(nvcc: string): Promise<Record<'headers' | 'libraries', string[]>> {
  const source = cudaSources().find((path) => path.endsWith('.cu')) as string;
  const said = await compile(nvcc, ['--dryrun', '-c', source]);
  const flagsOf = (name: string, letter: string): string[] => {
    const line = said.split('\n').find((text) => text.startsWith(`#$ ${name}=`)) ?? '';
    return [...line.matchAll(/"([^"]+)"/g)]
      .map(([, flag]) => flag as string)
      .filter((flag) => flag.startsWith(letter));
  };
  const libraries = [...flagsOf('LIBRARIES', '-L'), '-lcudart_static'];
  return {
    headers: flagsOf('INCLUDES', '-I'),
    libraries: [...libraries, '-lpthread', '-ldl', '-lrt'],
  };
}

const isOfDriver = (name: string) => name.startsWith('driver');

/** All sources of the CUDA bodies, headers included, but for the program that checks them alone. */
export const cudaSources = (): string[] =>
  inFolder(
    join(kernelSources(), 'cuda'),
    (name) => /\.(cu|cuh|h)$/.test(name) && !isOfDriver(name),
  );

/** Compiles the CUDA bodies for the GPU of this machine; paths of the objects. */
async function compileBodies(folder: string, nvcc: string, compiler: string): Promise<string[]> {
  const flags = ['-O3', '-std=c++17', '-arch=native', '-ccbin', compiler, '-Xcompiler', '-fPIC'];
  const sources = cudaSources().filter((path) => path.endsWith('.cu'));
  return await Promise.all(
    sources.map(async (source) => {
      const object = join(folder, `${basename(source)}.o`);
      await compile(nvcc, [...flags, '-c', source, '-o', object]);
      return object;
    }),
  );
}

/** What an operation is built from. */
export interface OperationsBuild {
  /** Where the addon is written, beside that of the kernels. */
  readonly folder: string;
  readonly setup: SetupRecord;
  /** Name of the build; the operation has it too, so that equal names mean equal kernels. */
  readonly key: string;
  /** Done when the kernels are there to be linked with. */
  readonly kernels: Promise<void>;
}

/** Compiles the C++ sources of the operation; paths of the objects. */
async function compileOperation(
  { folder, setup, key }: OperationsBuild,
  cudaHeaders: readonly string[] | null,
): Promise<string[]> {
  const { compiler, tensorflow } = setup;
  const headers = join(tensorflow, 'include');
  const includes = [nodeHeaders(), headers, join(headers, 'external/farmhash_archive/src')];
  const flags = [
    ...['-O2', '-std=c++17', '-fPIC', '-fvisibility=hidden', '-w'],
    ...[`-DLAB_OPERATION="LabKernels${key}"`, ...(cudaHeaders === null ? [] : ['-DLAB_CUDA'])],
    ...[...includes.map((path) => `-I${path}`), ...(cudaHeaders ?? [])],
  ];
  const sources = ['ops.cc', ...(cudaHeaders === null ? [] : ['stream.cc'])];
  return await Promise.all(
    sources.map(async (source) => {
      const [path, object] = [join(kernelSources(), 'native', source), join(folder, `${source}.o`)];
      await compile(compiler, [...flags, '-c', path, '-o', object]);
      return object;
    }),
  );
}

/** Compiles the operation, with the CUDA bodies where there is a compiler for them. */
export async function buildOperations(build: OperationsBuild): Promise<void> {
  const { folder, setup, kernels } = build;
  const { compiler, tensorflow, nvcc = null } = setup;
  const toolkit = nvcc === null ? null : await toolkitFlags(nvcc);
  const [own, bodies] = await Promise.all([
    compileOperation(build, toolkit?.headers ?? null),
    nvcc === null ? [] : compileBodies(folder, nvcc, compiler),
    kernels,
  ]);
  const objects = [...own, ...bodies];
  // The kernels by their name alone: the folder gets another one when the build is whole.
  const libraries = [`-L${folder}`, '-l:lab_kernels.node', ...tensorflowLibraries(tensorflow)];
  const places = ['-Wl,-rpath,$ORIGIN', `-Wl,-rpath,${tensorflow}`];
  // TensorFlow's GPU build exports functions of a CUDA runtime, perhaps an older one than that of
  // the compiler: the compiler's comes first, so that the linker takes none from there.
  const rest = [...objects, ...(toolkit?.libraries ?? []), ...libraries, ...places];
  const target = join(folder, 'lab_operations.node');
  await compile(compiler, ['-shared', ...linkFlags(), ...rest, '-o', target]);
  for (const object of objects) rmSync(object);
}
