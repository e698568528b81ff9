/**
 * A TensorFlow on this machine whose libraries a Node addon can be linked with: a Python package.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BackendError } from '@lab/core';

/** A TensorFlow that can be linked with. */
export interface TensorflowFolder {
  readonly folder: string;
  readonly version: string;
  readonly isCuda: boolean;
  /** The two shared libraries. */
  readonly libraries: readonly [core: string, framework: string];
}

/** Oldest TensorFlow whose interfaces our binding is compiled against. */
const OLDEST = [2, 16] as const;

const LIBRARIES = {
  linux: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  darwin: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
} as const;

/** What to install for the wanted kind. */
const installHelp = (isGpu: boolean): string =>
  isGpu
    ? 'Run: pip install "tensorflow[and-cuda]", then lab-tensor setup --gpu again.'
    : 'Run: pip install tensorflow-cpu, then lab-tensor setup again.';

/** A header that the binding includes. */
const HEADER = 'include/tensorflow/c/eager/c_api.h';

/** What pip writes beside the folder. */
const METADATA = 'tensorflow-*.dist-info';

/** Version of the installed package, as `2.21.0`; null where pip has not installed it. */
function versionOf(folder: string): string | null {
  const pattern = /^tensorflow(?:_cpu|_gpu|_rocm)?-(\d+\.\d+\.\d+)[^-]*\.dist-info$/;
  const beside = readdirSync(dirname(folder)).map((name) => pattern.exec(name)?.[1]);
  return beside.find((version) => version !== undefined) ?? null;
}

function isCudaBuild(folder: string): boolean {
  const path = join(folder, 'python/platform/build_info.py');
  return existsSync(path) && /'is_cuda_build', True\b/.test(readFileSync(path, 'utf8'));
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/**
 * The TensorFlow in a folder.
 *
 * @throws {BackendError} when it is none, too old, or not of the wanted kind, with what to install.
 */
export function tensorflowIn(folder: string, isGpu: boolean): TensorflowFolder {
  const names = LIBRARIES[process.platform as keyof typeof LIBRARIES];
  if (names === undefined) {
    throw new BackendError(`tensor: no TensorFlow can be set up on ${process.platform}.`, {
      help: 'Use the backend wasm, which needs nothing from the machine.',
    });
  }
  const path = resolve(folder);
  const libraries = names.map((name) => join(path, name));
  const missing = [...libraries, join(path, HEADER)].find((file) => !existsSync(file));
  const version = missing === undefined ? versionOf(path) : null;
  if (version === null) {
    const what = missing ?? join(dirname(path), METADATA);
    throw new BackendError(`tensor: ${path} is no TensorFlow to link with: ${what} is missing.`, {
      help: `Name the folder "tensorflow" of a Python environment. ${installHelp(isGpu)}`,
    });
  }
  if (isTooOld(version)) {
    throw new BackendError(
      `tensor: TensorFlow ${version} in ${path} is too old, ${OLDEST.join('.')} is the oldest.`,
      { help: installHelp(isGpu) },
    );
  }
  const isCuda = isCudaBuild(path);
  if (isGpu && !isCuda) {
    throw new BackendError(`tensor: TensorFlow ${version} in ${path} was built without CUDA.`, {
      help: installHelp(true),
    });
  }
  return { folder: path, version, isCuda, libraries: [libraries[0]!, libraries[1]!] };
}

const LOCATE =
  'import importlib.util as u; s = u.find_spec("tensorflow"); ' +
  'print(s.submodule_search_locations[0] if s else "")';

/** Where a Python has its TensorFlow: the folder, '' without one, null without that Python. */
function locate(python: string): string | null {
  try {
    return execFileSync(python, ['-c', LOCATE], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 30_000,
    }).trim();
  } catch {
    return null;
  }
}

/**
 * The TensorFlow of a given folder, of a given Python, or of the first Python of this machine that
 * has one: the active environment, then `python3`, then `python`.
 *
 * @throws {BackendError} as {@link tensorflowIn}, and when there is none.
 */
export function findTensorflow(wanted: {
  readonly folder?: string;
  readonly python?: string;
  readonly isGpu: boolean;
}): TensorflowFolder {
  const { folder, python, isGpu } = wanted;
  if (folder !== undefined) return tensorflowIn(folder, isGpu);
  const environment = process.env['VIRTUAL_ENV'];
  const own = environment === undefined ? [] : [join(environment, 'bin', 'python')];
  const candidates = python === undefined ? [...own, 'python3', 'python'] : [python];
  const answers = candidates.map((name) => ({ name, found: locate(name) }));
  const first = answers.find(({ found }) => found !== null && found !== '');
  if (first?.found) return tensorflowIn(first.found, isGpu);
  const text = answers
    .map(({ name, found }) => `${name} ${found === null ? 'does not run' : 'has none'}`)
    .join(', ');
  throw new BackendError(`tensor: no TensorFlow was found: ${text}.`, {
    help: `${installHelp(isGpu)} Or name its folder: --tensorflow DIR.`,
  });
}
