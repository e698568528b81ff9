/**
 * What the verbs that score heads write and print.
 */
import type { Run } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { headCounts, resolveAblation } from '../ablation.js';
import { configuredAblation } from '../config.js';
import { tiedHeads } from '../head.js';
import type { ScoreFile } from '../score-file.js';
import type { ScoreInput } from './score-input.js';

/** What a file of scores says beside scores. */
export type ScoreFileHead = Omit<ScoreFile, 'kind' | 'scores' | 'ties' | 'unit'>;

/** What files of scores of a run have in common. */
export function scoreFileHead({ resolved, opened, data }: ScoreInput): ScoreFileHead {
  const { config } = resolved;
  const ablation = resolveAblation(configuredAblation(config), opened.model.architecture);
  const counts = headCounts(opened.model.architecture, ablation);
  return {
    schemaVersion: 1,
    model: { path: opened.folder, fingerprint: opened.fingerprint.model, ...counts },
    tokenizer: { fingerprint: opened.fingerprint.tokenizer },
    format: config.prompts.format,
    ...(config.prompts.system === '' ? {} : { system: config.prompts.system }),
    data: { sha256: data.sha256, promptCount: data.records.length },
    ablation,
    numerics: config.scores.numerics,
  };
}

/** Scores with their ties. */
export const scoresWithTies = (scores: readonly (readonly (number | null)[])[]) => ({
  scores: scores.map((row) => [...row]),
  ties: tiedHeads(scores),
});

/** The end of a run on stdout. */
export function printRun(context: CliContext, run: Run, result: Record<string, unknown>): void {
  context.print(`run     ${run.dir}\nnext: sahara report ${run.dir}\n`);
  context.printJson({ run: run.dir, status: 'success', ...result });
}
