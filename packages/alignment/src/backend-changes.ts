import type { Run } from '@lab/core';
import { type BackendReport, selectedBackend } from '@lab/tensor';

type Arithmetic = Partial<Pick<BackendReport, 'name' | 'simd'>>;

/** What rounds alike: on wasm machine code and relaxed SIMD give the same bits, plain others. */
function arithmeticOf({ name, simd }: Arithmetic): string {
  return name === 'wasm' && simd === 'plain' ? 'wasm with plain SIMD' : String(name);
}

/**
 * What is to be said when a run goes on with other arithmetic than it was trained with so far, and
 * keeps in its record what it goes on with. Nothing where the arithmetic is the same.
 */
export function backendChanges(run: Run): string[] {
  const before = run.record.backend as Arithmetic | null;
  const now = selectedBackend();
  if (before === null || now === null) return [];
  const [old, present] = [before, now].map(arithmeticOf);
  if (old === present) return [];
  run.update({ backend: now });
  return [
    `Trained on the backend ${old} so far, goes on with ${present}: sums round otherwise, so the ` +
      'results may differ from those of a run on one of them.',
  ];
}
