/**
 * A run of responses with heads ablated: what it is about, its lines, what they come to.
 */
import { existsSync } from 'node:fs';
import { appendJsonLine, createRun, type Run, writeFileAtomic } from '@lab/core';
import type { McNemarResult } from '@lab/metrics';
import type { PromptData } from '@lab/transformer';
import type { OpenedModel } from '@lab/transformer/commands';
import { type Arm, type ArmResult, armResults, armWarnings } from './arms.js';
import type { HeadId } from './head.js';
import { type OverRefusal, overRefusal, refusalChange } from './over-refusal.js';
import { readResponseLines, type ResponseLine } from './response-line.js';
import { resumedRun } from './run-folder.js';
import type { ResolvedAblation } from './ablation.js';
import { version } from './version.js';

/** Files of such a run. */
export const ablateFiles = {
  responses: 'predictions.jsonl',
  harmless: 'harmless.jsonl',
  results: 'attack-success.json',
  /** What was changed, as `transformer generate --interventions` takes it. */
  interventions: 'interventions.json',
} as const;

/** What a run is about. */
export interface AblateFacts {
  readonly opened: Pick<OpenedModel, 'backend' | 'fingerprint' | 'folder' | 'model'>;
  readonly data: PromptData;
  readonly harmless: PromptData | null;
  /** Everything that results depend on. */
  readonly settings: Readonly<Record<string, unknown>> & { readonly seed: number };
  readonly command: readonly string[];
  /** Flags as they were given. */
  readonly passed: Readonly<Record<string, unknown>>;
}

/** Where it goes. */
export interface AblatePlace {
  readonly out?: string | undefined;
  readonly resume?: string | undefined;
}

/**
 * A new run, or one that goes on.
 *
 * @throws {ConfigError} where the run to go on is of another model, other prompts or settings.
 */
export function openAblateRun(facts: AblateFacts, { out, resume }: AblatePlace): Run {
  const { opened, data, harmless, settings } = facts;
  const subject = {
    model: opened.fingerprint.model,
    tokenizer: opened.fingerprint.tokenizer,
    prompts: data.sha256,
    harmless: harmless?.sha256 ?? null,
    settings,
  };
  if (resume !== undefined) return resumedRun(resume, subject);
  const { layerCount, headCount } = opened.model.architecture;
  return createRun({
    ...{ parent: 'runs', dir: out, method: 'sahara', label: 'ablate', seed: settings.seed },
    ...{ command: facts.command, config: settings, passed: facts.passed },
    data: [data.file, ...(harmless === null ? [] : [harmless.file])],
    backend: opened.backend,
    packages: { '@lab/sahara': version },
    environment: {
      subject,
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
}

/** Lines of a file of a run; none where there is no file yet. */
export function doneLines(run: Run, file: string): ResponseLine[] {
  const path = run.path(file);
  return existsSync(path) ? readResponseLines(path) : [];
}

/** Keeps lines as they come, and gives all there are. */
export async function keepLines(
  run: Run,
  file: string,
  lines: AsyncIterable<ResponseLine>,
): Promise<ResponseLine[]> {
  for await (const line of lines) appendJsonLine(run.path(file), line);
  return doneLines(run, file);
}

/** What a run comes to, as `attack-success.json` holds it. */
export interface AblateResults {
  readonly schemaVersion: 1;
  readonly heads: readonly HeadId[];
  readonly ablation: ResolvedAblation;
  readonly arms: readonly ArmResult[];
  /** Of harmless prompts, by arm; null without them. */
  readonly overRefusal: readonly OverRefusal[] | null;
  /** Whether ablating changes refusals of harmless prompts. */
  readonly overRefusalChange: McNemarResult | null;
  readonly warnings: readonly string[];
}

/** Sums lines up, and writes `attack-success.json`. */
export function concludeAblateRun(
  run: Run,
  { lines, harmless, heads, ablation, seed }: AblateLines,
): AblateResults {
  const arms = armResults(lines, { seed });
  const names = new Set(harmless.map(({ arm }) => arm));
  const hasBoth = names.has('intact') && names.has('ablated');
  const results: AblateResults = {
    schemaVersion: 1,
    ...{ heads, ablation, arms },
    overRefusal: harmless.length === 0 ? null : overRefusal(harmless),
    overRefusalChange: hasBoth ? refusalChange(harmless, 'intact', 'ablated') : null,
    warnings: armWarnings(arms),
  };
  writeFileAtomic(run.path(ablateFiles.results), `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

/** Lines of a run, and what was ablated. */
export interface AblateLines {
  readonly lines: readonly ResponseLine[];
  readonly harmless: readonly ResponseLine[];
  readonly heads: readonly HeadId[];
  readonly ablation: ResolvedAblation;
  readonly seed: number;
}

/** Keeps what was changed, where it is one change for all prompts that data can say. */
export function keepChanges(run: Run, arms: readonly Arm[]): void {
  const changes = arms.find(({ name }) => name === 'ablated')?.changes;
  if (typeof changes !== 'object' || changes.hooks.length > 0) return;
  const text = `${JSON.stringify(changes.interventions, null, 2)}\n`;
  writeFileAtomic(run.path(ablateFiles.interventions), text);
}
