/**
 * Every head by a forward pass of its own: what the accelerated scan must equal.
 */
import type { ForwardResult, Model } from '@lab/transformer';
import { ablationChanges } from './ablation.js';
import { type ScanInput, type ScanOutput, STATES } from './head-outputs.js';

/**
 * Outputs of every prompt and head, one full pass each: `1 + heads` passes a prompt. For
 * comparisons; `scanHeads` gives the same in a fraction of the time.
 *
 * @throws {ShapeError} and {DataError} as `forward`.
 */
export async function scanHeadsNaively(model: Model, input: ScanInput): Promise<void> {
  const { prompts, ablation, group, candidates, output, visit, signal } = input;
  const total = prompts.length * (candidates.length + 1);
  let done = 0;
  for (const [prompt, { ids }] of prompts.entries()) {
    for (const head of [null, ...candidates]) {
      signal?.throwIfAborted();
      const heads = head === null ? group : [...group, head];
      const { interventions, hooks } = ablationChanges(model, ablation, heads);
      const asked =
        output === 'logits' ? ({ logits: 'last' } as const) : ({ logits: 'none' } as const);
      const capture = output === 'logits' ? undefined : STATES;
      const given = { ids: [ids], interventions, hooks, signal, capture };
      const result = await model.forward({ ...given, ...asked });
      visit({ prompt, head, values: await lastValues(result, output) });
      result.dispose();
      done += 1;
      input.onShare?.(done / total);
    }
  }
}

/** Numbers of the last token of a single text. */
async function lastValues(result: ForwardResult, output: ScanOutput): Promise<Float32Array> {
  if (output === 'logits') return (await result.logits!.data()) as Float32Array;
  const { data, shape } = result.captured.get(STATES)!;
  return data.subarray(data.length - shape[2]!);
}
