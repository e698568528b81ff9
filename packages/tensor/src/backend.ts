import { BackendError, ConfigError, type Logger, silentLogger } from '@lab/core';
import {
  allowMachineKernels,
  allowWideVectors,
  type BackendFacts,
  type BackendName,
  candidatesFor,
} from './backend-candidates.js';
import { installGradients } from './gradients/install.js';
import { activeKernels } from './active-kernels.js';
import { selfTest } from './self-test.js';
import { availableThreads } from './thread-count.js';

/** A backend by name, or `'auto'`: the first that comes up and passes the self-test. */
export type BackendChoice = 'auto' | BackendName;

/** The backend in use and why it was taken. */
export interface BackendReport extends BackendFacts {
  name: BackendName;
  /** Half a sentence: asked for by name, or the first of the order that works. */
  reason: string;
  /** Backends tried before it, with the reason each was passed over. */
  tried: { name: string; why: string }[];
}

interface Attempt {
  name: BackendName;
  facts: BackendFacts;
  tried: { name: string; why: string }[];
}

async function firstWorking(choice: BackendChoice, logger: Logger): Promise<Attempt> {
  const candidates = candidatesFor(choice);
  const tried: { name: string; why: string }[] = [];
  let failure: unknown;
  for (const { name, start } of candidates) {
    try {
      const facts = await start(choice !== 'auto', logger);
      installGradients();
      await selfTest(name);
      return { name, facts, tried };
    } catch (error) {
      failure = error;
      tried.push({ name, why: error instanceof Error ? error.message : String(error) });
    }
  }
  if (candidates.length === 1) throw failure;
  const reasons = tried.map(({ name, why }) => `${name}: ${why}`).join(' ');
  throw new BackendError(`tensor: no backend works. ${reasons}`, { cause: failure });
}

/** How a backend is to work; the results depend on none of it. */
export interface SelectOptions {
  /** Told in one line what was chosen and why, and beforehand if it must be compiled anew. */
  logger?: Logger;
  /**
   * Threads that share the work of our kernels, on wasm and tensorflow; default as many as the
   * processors that this process may use.
   */
  threads?: number;
  /**
   * Whether products on wasm may work on 256 bits at a time where Node 24 or newer passes a check
   * for it on this machine; default yes.
   */
  wideVectors?: boolean;
  /**
   * Whether kernels on wasm may run as machine code where the package for this platform, or
   * `lab-tensor setup`, has brought it; default yes.
   */
  machineKernels?: boolean;
}

/**
 * The backend that all tensors use from now on.
 *
 * `'auto'` takes the first of tensorflow-gpu, tensorflow, wasm, webgpu (hardware adapters only),
 * cpu that comes up and passes a self-test (a product and a gather gradient against known values).
 * wasm and cpu come with this package; the others are optional peers.
 *
 * @param choice - default `'auto'`.
 * @throws {ConfigError} when `threads` is not a whole number from 1.
 * @throws {BackendError} when the chosen backend does not work, saying what to install.
 */
export async function selectBackend(
  choice: BackendChoice = 'auto',
  options: SelectOptions = {},
): Promise<BackendReport> {
  const { threads, logger = silentLogger } = options;
  if (threads !== undefined && !(threads >= 1 && Number.isInteger(threads))) {
    throw new ConfigError(`tensor: threads must be a whole number from 1, got ${threads}.`, {
      help: 'write --threads 1, or leave it out to use all processors',
    });
  }
  allowWideVectors(options.wideVectors ?? true);
  allowMachineKernels(options.machineKernels ?? true);
  const { name, facts, tried } = await firstWorking(choice, logger);
  const kernels = activeKernels();
  if (kernels !== null) {
    kernels.useThreads(threads ?? availableThreads());
    facts.threads = kernels.threads;
  }
  const reason = choice === 'auto' ? 'first in the order that works here' : 'asked for by name';
  logger.info(`backend ${name}: ${reason}`);
  selected = { name, reason, tried, ...facts };
  return selected;
}

let selected: BackendReport | null = null;

/** The report of the last {@link selectBackend}, or null before the first. */
export function selectedBackend(): BackendReport | null {
  return selected;
}
