import { cpus } from 'node:os';
import util from 'node:util';
import { BackendError, type Logger, silentLogger } from '@lab/core';
import { countStockKernels } from './kernel-report.js';
import { installCpuKernels } from './kernels/cpu.js';
import { registeredKernels } from './kernels/call.js';
import { installKernels } from './kernels/install.js';
import { LAUNCHED_KERNELS } from './kernels/launched.js';
import { installWebgpuKernels } from './kernels/webgpu.js';
import { machineMemoryBytes } from './machine-memory.js';
import { WASM_HEAP_LIMIT_BYTES } from './memory.js';
import { sharedModuleUrl } from './shared-module.js';
import { activeKernels } from './active-kernels.js';
import type { NativeBuild } from './native/build.js';
import { findAddon } from './native/find-addon.js';
import { fittingBuild } from './native/fitting-build.js';
import { releaseIdlePages } from './native/idle-pages.js';
import { loadAddon } from './native/kernel-addon.js';
import { useOperation } from './native/operation-kernels.js';
import { readSetup } from './native/places.js';
import { assertStockBinding, tfjsNode, tfjsNodeInstall } from './native/stock-binding.js';
import { registerTensorflow, useBuild } from './native/tensorflow-backend.js';
import { tf } from './tfjs.js';
import { checkVectors, type VectorWidth } from './vector-check.js';
import {
  kernelsOf,
  useAddon,
  useVectors,
  type WasmBackend,
  wideTileBytes,
} from './wasm-backend.js';
import {
  guardWebgpu,
  hasGraphicsDriver,
  noHardwareError,
  provideAdapter,
  type WebgpuPackage,
} from './webgpu-backend.js';

/** The backends by the names users know. */
export type BackendName = 'tensorflow-gpu' | 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** What a running backend can do. */
export interface BackendFacts {
  /** How our kernels run: wasm for relaxed or plain SIMD, or machine code; null: they do not. */
  simd: 'relaxed' | 'plain' | 'native' | null;
  /** Bits of the vectors of wasm products; null on other backends. */
  vectorBits: 128 | 256 | null;
  /** Threads that one product uses. */
  threads: number;
  /** Most bytes that all tensors together can take: of a heap or the machine; null: unknown. */
  memoryLimitBytes: number | null;
}

/** A backend and the way to bring it up; `start` throws a {@link BackendError} when it cannot. */
export interface BackendCandidate {
  readonly name: BackendName;
  /**
   * `isByName`: the user asked for this backend, not for the first that works; `logger` is told
   * before work of a minute.
   */
  start(isByName: boolean, logger?: Logger): Promise<BackendFacts>;
}

/** The error for a peer that is not installed, or that is and does not load. */
function peerError(packageName: string, wanted: BackendName, cause: unknown): BackendError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const isMissing =
    String(code).endsWith('MODULE_NOT_FOUND') && String(message).includes(packageName);
  if (isMissing) {
    return new BackendError(`tensor: the backend ${wanted} needs ${packageName}.`, {
      cause,
      help: packageName.startsWith(tfjsNode.name)
        ? `Run ${tfjsNodeInstall} and lab-tensor setup` +
          `${wanted === 'tensorflow-gpu' ? ' --gpu' : ''}, or choose the backend wasm.`
        : `Install it (npm install ${packageName}) or choose the backend wasm.`,
    });
  }
  return new BackendError(`tensor: ${packageName} does not load here: ${String(message)}`, {
    cause,
    help: `Repair it for the backend ${wanted}, or choose the backend wasm.`,
  });
}

async function importPeer(packageName: string, wanted: BackendName): Promise<unknown> {
  try {
    return await import(packageName);
  } catch (cause) {
    throw peerError(packageName, wanted, cause);
  }
}

async function activate(engineName: string, wanted: BackendName): Promise<void> {
  if (await tf.setBackend(engineName)) return;
  throw new BackendError(`tensor: the backend ${wanted} did not come up.`, {
    help: 'Choose the backend wasm, which needs nothing from the machine.',
  });
}

/** Gives `node:util` the two functions that tfjs-node calls and Node 23 removed. */
function restoreUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
}

async function startTensorflow(
  wanted: 'tensorflow' | 'tensorflow-gpu',
  logger: Logger = silentLogger,
): Promise<BackendFacts> {
  restoreUtil();
  const isGpu = wanted === 'tensorflow-gpu';
  if (!(await startFromSetup(isGpu, logger))) {
    const packageName = isGpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
    assertStockBinding(packageName);
    await importPeer(packageName, wanted);
  }
  await activate('tensorflow', wanted);
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
  if (isGpu && isUsingGpuDevice !== true) {
    throw new BackendError('tensor: TensorFlow lists no GPU here.', {
      help: 'Check the driver and CUDA libraries, or choose the backend tensorflow or wasm.',
    });
  }
  const hasKernels = bindTensorflow(isUsingGpuDevice === true);
  if (registered !== null) releaseIdlePages(loadAddon(registered.kernels));
  const threads = activeKernels()?.threads ?? cpus().length;
  const memoryLimitBytes = isUsingGpuDevice === true ? null : machineMemoryBytes();
  return { simd: hasKernels ? 'native' : null, threads, vectorBits: null, memoryLimitBytes };
}

/**
 * Registers our kernels for TensorFlow; whether there are any. On a GPU the values of tensors are
 * not where machine code of the processor could read them: an operation of TensorFlow has to.
 */
function bindTensorflow(isOnGpu: boolean): boolean {
  const isOperation = isOnGpu || process.env[OPERATION_SWITCH] === '1';
  useBuild(isOperation ? null : registered);
  const hasOperation = useOperation(isOperation ? registered : null, isOnGpu);
  const hasKernels = hasOperation || activeKernels() !== null;
  if (hasKernels) installKernels('tensorflow', hasOperation ? LAUNCHED_KERNELS : null);
  return hasKernels;
}

/** Set to 1 in tests: on a CPU too our kernels run through the operation that a GPU needs. */
const OPERATION_SWITCH = 'LAB_TENSOR_OPERATIONS';

/** Registers the backend that `lab-tensor setup` has prepared, built anew where it must be. */
async function startFromSetup(isGpu: boolean, logger: Logger): Promise<boolean> {
  const setup = readSetup();
  if (setup === null || (isGpu && !setup.isCuda)) return false;
  if (registered === null) {
    const built = await fittingBuild(setup, logger);
    registerTensorflow(setup.tfjsNode, built);
    registered = built;
  }
  return true;
}

/** The build whose backend is registered. */
let registered: NativeBuild | null = null;

/** Set to 1 in tests: a software adapter serves a choice of webgpu by name; never `auto`. */
const SOFTWARE_SWITCH = 'LAB_WEBGPU_SOFTWARE';

async function startWebgpu(isByName: boolean): Promise<BackendFacts> {
  if (!hasGraphicsDriver()) throw noHardwareError('no Vulkan driver is installed');
  const webgpu = (await importPeer('webgpu', 'webgpu')) as WebgpuPackage;
  await provideAdapter(webgpu, isByName && process.env[SOFTWARE_SWITCH] === '1');
  await importPeer('@tensorflow/tfjs-backend-webgpu', 'webgpu');
  await activate('webgpu', 'webgpu');
  guardWebgpu();
  installWebgpuKernels();
  return { simd: null, vectorBits: null, threads: 1, memoryLimitBytes: null };
}

/** Runs `body` and takes away the process-wide handlers that the emscripten glue adds. */
async function withoutNewHandlers(body: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  await body();
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[i]?.includes(listener)) process.removeListener(event, listener);
    }
  });
}

const MODULE_NAMES = ['wasm', 'wasm-simd', 'wasm-threaded-simd'].map(
  (name) => `tfjs-backend-${name}.wasm`,
);

/** Has the stock module loaded with a memory that our threads can share, once. */
function shareMemory(setWasmPaths: (paths: Record<string, string>, isFetched: true) => void): void {
  if (isMemoryShared) return;
  isMemoryShared = true;
  const url = sharedModuleUrl();
  if (url !== null) setWasmPaths(Object.fromEntries(MODULE_NAMES.map((name) => [name, url])), true);
}

let isMemoryShared = false;

let areMachineKernelsAllowed = true;

/** Whether kernels on wasm may run as machine code, where there is some, from the next start on. */
export function allowMachineKernels(areAllowed: boolean): void {
  areMachineKernelsAllowed = areAllowed;
}

let areWideVectorsAllowed = true;
let vectorWidth: Promise<VectorWidth> | undefined;

/** Whether products may use wider vectors, where they pass their check, from the next start on. */
export function allowWideVectors(areAllowed: boolean): void {
  areWideVectorsAllowed = areAllowed;
}

/** The width of vectors that this machine is fit for; checked once in a process, at most. */
export function fitVectorWidth(isAnew = false): Promise<VectorWidth> {
  if (isAnew || vectorWidth === undefined) vectorWidth = checkVectors(wideTileBytes(), { isAnew });
  return vectorWidth;
}

async function startWasm(): Promise<BackendFacts> {
  // Begins before tfjs is loaded: the check runs beside it.
  const fit = areWideVectorsAllowed ? fitVectorWidth() : undefined;
  await withoutNewHandlers(async () => {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    shareMemory(setWasmPaths);
    installKernels('wasm');
    countStockKernels(registeredKernels());
    await activate('wasm', 'wasm');
  });
  useVectors((await fit)?.vectorBits ?? 128);
  const { addon } = areMachineKernelsAllowed ? findAddon() : { addon: null };
  useAddon(addon);
  if (addon !== null) releaseIdlePages(addon);
  const { simd, vectorBits, threads } = kernelsOf(tf.backend() as unknown as WasmBackend);
  return { simd, vectorBits, threads, memoryLimitBytes: WASM_HEAP_LIMIT_BYTES };
}

async function startCpu(): Promise<BackendFacts> {
  await import('@tensorflow/tfjs-backend-cpu');
  installCpuKernels();
  await activate('cpu', 'cpu');
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false; // it would print an advert
  return { simd: null, vectorBits: null, threads: 1, memoryLimitBytes: null };
}

// webgpu last but one: docs/decisions/2026-11-26-webgpu-by-name.md has the measurements.
const ORDER: readonly BackendCandidate[] = [
  { name: 'tensorflow-gpu', start: (_, logger) => startTensorflow('tensorflow-gpu', logger) },
  { name: 'tensorflow', start: (_, logger) => startTensorflow('tensorflow', logger) },
  { name: 'wasm', start: startWasm },
  { name: 'webgpu', start: startWebgpu },
  { name: 'cpu', start: startCpu },
];

/** The backends to try, in order: the named one alone, or all of them for `'auto'`. */
export function candidatesFor(choice: 'auto' | BackendName): readonly BackendCandidate[] {
  if (choice === 'auto') return ORDER;
  const found = ORDER.filter((candidate) => candidate.name === choice);
  if (found.length > 0) return found;
  throw new BackendError(`tensor: there is no backend "${choice}".`, {
    help: `Choose auto or one of ${ORDER.map(({ name }) => name).join(', ')}.`,
  });
}
