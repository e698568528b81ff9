/**
 * How much memory a training will need, said before it starts.
 */
import { BackendError, formatBytes, formatCount } from '@lab/core';
import { selectedBackend } from '@lab/tensor';

/** Share of the backend's limit that can be used before fragments leave no room for an array. */
const USABLE = 0.8;

/** What a training is expected to hold in the backend, and what the backend can hold. */
export interface MemoryExpectation {
  /** Bytes at the peak, within about a fifth. */
  readonly tensorBytes: number;
  /** Most that the backend holds, bytes; null without such a limit. */
  readonly limitBytes: number | null;
  readonly fits: boolean;
  /** Whether graph layers are kept for the backward pass, computed again, or done in blocks. */
  readonly graphLayers: 'kept' | 'recomputed' | 'blocks';
  /** Of the whole process at the peak, where tables, states or evidence stand in host memory. */
  readonly processBytes?: number;
}

/** An estimate beside what the selected backend can hold. */
export function memoryExpectation(
  tensorBytes: number,
  graphLayers: MemoryExpectation['graphLayers'],
): MemoryExpectation {
  const limitBytes = selectedBackend()?.memoryLimitBytes ?? null;
  const fits = USABLE * (limitBytes ?? Infinity) >= tensorBytes;
  return { tensorBytes, limitBytes, fits, graphLayers };
}

/** What the process will hold with so many bytes of evidence in the host's memory. */
export function withEvidence(expectation: MemoryExpectation, bytes: number): MemoryExpectation {
  if (bytes === 0) return expectation;
  const { processBytes = process.memoryUsage().rss + expectation.tensorBytes } = expectation;
  return { ...expectation, processBytes: processBytes + bytes };
}

/**
 * Stops before a training that the backend cannot hold.
 *
 * @throws {BackendError} with the sizes and what to do.
 */
export function assertFits(
  name: string,
  { entityCount }: { readonly entityCount: number },
  { tensorBytes: needed, limitBytes: limit, fits }: MemoryExpectation,
): void {
  const backend = selectedBackend();
  if (backend === null || limit === null || fits) return;
  throw new BackendError(
    `${name}/train: ${formatCount(entityCount)} entities need about ` +
      `${formatBytes(needed)} with these settings, backend ${backend.name} holds ` +
      `${formatBytes(limit)}, ${formatBytes(USABLE * limit)} of it without fragments.`,
    {
      help: 'use a narrower model, or a backend without that limit: --backend tensorflow',
      details: { needed, limit, entities: entityCount },
    },
  );
}
