import { LabError, type Logger } from '@lab/core';
import { type BackendReport, selectBackend } from '../backend.js';
import { type BackendFacts, type BackendName, candidatesFor } from '../backend-candidates.js';
import { activeKernels } from '../active-kernels.js';

/** How one backend fares on this machine. */
export type BackendState =
  | {
      readonly name: BackendName;
      readonly state: 'works';
      readonly facts: BackendFacts;
      /** Whether threads share the memory of the tensors; null where the backend has its own. */
      readonly sharedMemory: boolean | null;
    }
  | {
      readonly name: BackendName;
      /** `missing`: a package is not installed; `fails`: it does not come up, or is wrong. */
      readonly state: 'missing' | 'fails';
      readonly why: string;
      /** What it would need. */
      readonly needs: string | null;
    };

function factsOf({ simd, vectorBits, threads, memoryLimitBytes }: BackendReport): BackendFacts {
  return { simd, vectorBits, threads, memoryLimitBytes };
}

/** Whether an error, or what caused it, is a package that is not installed. */
function isMissingPackage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return true;
  return isMissingPackage(error.cause);
}

function failureState(name: BackendName, error: unknown): BackendState {
  const message = error instanceof Error ? error.message : String(error);
  const needs = LabError.is(error) ? (error.help ?? null) : null;
  const state = isMissingPackage(error) ? 'missing' : 'fails';
  return { name, state, why: message.replace(/^tensor: /, ''), needs };
}

async function examine(name: BackendName, logger: Logger): Promise<BackendState> {
  try {
    const report = await selectBackend(name, { logger });
    const sharedMemory = activeKernels()?.memory.isShared ?? null;
    return { name, state: 'works', facts: factsOf(report), sharedMemory };
  } catch (error) {
    return failureState(name, error);
  }
}

/**
 * How every backend fares, in the order in which `auto` tries them: each is brought up and must
 * pass the self-test. The last one that works is in use afterwards.
 *
 * @param logger - told what is done meanwhile.
 */
export async function examineBackends(logger: Logger): Promise<BackendState[]> {
  const states: BackendState[] = [];
  for (const { name } of candidatesFor('auto')) states.push(await examine(name, logger));
  return states;
}
