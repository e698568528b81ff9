/**
 * What scans leave in a run folder, unit by unit, so that a kill loses one unit at most.
 */
import { existsSync } from 'node:fs';
import {
  canonicalJson,
  ConfigError,
  createRun,
  DataError,
  InterruptedError,
  readJsonLines,
  resumeRun,
  type ResolvedConfig,
  type Run,
} from '@lab/core';
import type { PromptData } from '@lab/transformer';
import type { OpenedModel } from '@lab/transformer/commands';
import { z } from 'zod';
import type { Config } from './config.js';
import type { HeadScore } from './dataset-ships.js';
import type { HeadId } from './head.js';
import { groupKey, type SaharaStep } from './sahara.js';
import { type PromptScoreLine, promptScoresSchema } from './score-file.js';
import { version } from './version.js';

/** Files of a run. */
export const runFiles = {
  /** Scores of each prompt, a line each. */
  prompts: 'predictions.jsonl',
  /** Scores over the data set as they come: of some heads beside a group, a line each time. */
  units: 'units.jsonl',
  /** Steps of the search, a line each. */
  steps: 'steps.jsonl',
  /** Scores of all heads; of a search those of its first step, with the group so far. */
  scores: 'scores.json',
  /** Of prompts that are answered: the same as `prompts` and `scores`. */
  harmlessPrompts: 'harmless-predictions.jsonl',
  harmlessScores: 'harmless-scores.json',
} as const;

/** The file of scores of a step of the search, from 1. */
export const stepFile = (step: number): string => `step-${step}.json`;

/** What a run is about. */
export interface RunFacts {
  readonly resolved: ResolvedConfig<Config>;
  readonly opened: Pick<OpenedModel, 'backend' | 'fingerprint' | 'folder' | 'model'>;
  readonly data: PromptData;
  /** Prompts that are answered, scored as well. */
  readonly harmless?: PromptData | undefined;
  /** Prompts that outputs of heads are taken from. */
  readonly source?: PromptData | undefined;
  /** Heads that are ablated throughout. */
  readonly group?: readonly HeadId[] | undefined;
  /** First part of the name of a folder: the verb. */
  readonly label: string;
  readonly command: readonly string[];
  readonly passed: unknown;
}

/** Where a run goes. */
export interface RunPlace {
  /** Folder; default a new one below `runs`. */
  readonly out?: string | undefined;
  /** A run that goes on. */
  readonly resume?: string | undefined;
}

/** What must be the same for a run to go on. */
const subjectOf = ({ resolved, opened, data, group = [], label, ...others }: RunFacts) => ({
  verb: label,
  harmless: others.harmless?.sha256 ?? null,
  source: others.source?.sha256 ?? null,
  group: groupKey(group),
  model: opened.fingerprint.model,
  tokenizer: opened.fingerprint.tokenizer,
  prompts: data.sha256,
  // Where and in how large parts something is computed changes no result.
  config: { ...resolved.config, scan: { screenedShare: resolved.config.scan.screenedShare } },
});

/**
 * A new run, or one that goes on.
 *
 * @throws {ConfigError} where the run to go on is of another model, data or settings, naming what
 *   differs; where the folder holds a run, or another process is at work on it.
 */
export function openScoreRun(facts: RunFacts, { out, resume }: RunPlace): Run {
  const subject = subjectOf(facts);
  const { resolved, opened, data } = facts;
  if (resume !== undefined) return resumedRun(resume, subject);
  const { config, mode, preset, origins } = resolved;
  const { layerCount, headCount } = opened.model.architecture;
  return createRun({
    ...{ parent: 'runs', dir: out, method: 'sahara', label: facts.label, seed: config.seed },
    ...{ command: facts.command, config, passed: facts.passed, origins, mode, preset },
    data: [data, facts.harmless, facts.source].flatMap((own) => own?.file ?? []),
    backend: opened.backend,
    packages: { '@lab/sahara': version },
    environment: {
      subject,
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
}

/**
 * A run that goes on.
 *
 * @param subject - what must be the same as where it was begun.
 * @throws {ConfigError} naming what differs.
 */
export function resumedRun(dir: string, subject: Readonly<Record<string, unknown>>): Run {
  const run = resumeRun(dir);
  try {
    assertSame(dir, run.record.environment['subject'], subject);
  } catch (error) {
    run.release();
    throw error;
  }
  run.update({ status: 'started', error: null, end: null });
  return run;
}

function assertSame(dir: string, before: unknown, now: Readonly<Record<string, unknown>>): void {
  const differ = differences(before, now);
  if (differ.length === 0) return;
  throw new ConfigError(`sahara: ${dir} was begun with another ${differ.join(' and ')}.`, {
    help: 'Give the same model, prompts and settings, or begin a new run.',
    details: { differ },
  });
}

/** Values longer than this, such as hashes, say nothing to a reader. */
const LONG = 24;

/** Names of values that differ, the inner ones of settings, with short values. */
function differences(before: unknown, now: Readonly<Record<string, unknown>>): string[] {
  const known = (before ?? {}) as Record<string, unknown>;
  return Object.entries(now).flatMap(([name, value]) => {
    const [own, others] = [known[name] ?? null, value ?? null];
    const [was, is] = [canonicalJson(own), canonicalJson(others)];
    if (was === is) return [];
    if (isPlain(own) && isPlain(others)) {
      return differences(own, others).map((inner) => `${name}.${inner}`);
    }
    return [was.length > LONG || is.length > LONG ? name : `${name} (${was}, now ${is})`];
  });
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Verbs whose runs go on where they were stopped, by the labels of runs. */
const resumable = new Map([
  ...['ablate', 'sahara', 'ships'].map((label) => [label, label] as const),
  ['neurons', 'baseline neurons'] as const,
]);

/** How a run that was stopped is gone on with, or made again. */
function wayOn({ dir, record }: Run): string {
  const { label, config } = record;
  const verb = resumable.get(label);
  if (verb !== undefined) return `saved: resume with "sahara ${verb} --resume ${dir}"`;
  const { method } = (config.resolved ?? {}) as { readonly method?: unknown };
  const again = label === 'baseline' && typeof method === 'string' ? `${label} ${method}` : label;
  return `stopped: run "sahara ${again}" again`;
}

/**
 * What the work of a run comes to; its end is written to the folder whatever happens.
 *
 * @throws {InterruptedError} where the signal ended it, with the command that goes on.
 */
export async function withinRun<T extends Readonly<Record<string, unknown>>>(
  run: Run,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const results = await work();
    run.finish({ status: 'success', results });
    return results;
  } catch (error) {
    const isStop = signal.aborted;
    run.finish({ status: isStop ? 'interrupted' : 'error', error });
    if (!isStop) throw error;
    throw new InterruptedError(wayOn(run));
  }
}

/**
 * Scores of prompts that are done.
 *
 * @param name - `prompts` or `harmlessPrompts` of {@link runFiles}.
 */
export function donePrompts(run: Run, name: string = runFiles.prompts): PromptScoreLine[] {
  return linesOf(run, name, promptScoresSchema);
}

const headSchema = z.strictObject({ layer: z.int(), head: z.int() });
const scoredSchema = headSchema.extend({ score: z.number() });
const unitSchema = z.strictObject({ group: z.array(headSchema), found: z.array(scoredSchema) });

/** Scores over the data set that are done, by the key of their group. */
export function doneUnits(run: Run): Map<string, HeadScore[]> {
  const units = new Map<string, HeadScore[]>();
  for (const { group, found } of linesOf(run, runFiles.units, unitSchema)) {
    const key = groupKey(group);
    units.set(key, [...(units.get(key) ?? []), ...found]);
  }
  return units;
}

const groupSchema = z.strictObject({ group: z.array(headSchema), score: z.number() });
const stepSchema = z.strictObject({
  step: z.int(),
  group: z.array(headSchema),
  score: z.number(),
  gain: z.number(),
  scores: z.array(z.array(z.number().nullable())),
  unit: z.enum(['degrees', 'nats']),
  ties: z.array(headSchema),
  beams: z.array(groupSchema),
});

/** Steps of the search that are done. */
export function doneSteps(run: Run): SaharaStep[] {
  return linesOf(run, runFiles.steps, stepSchema);
}

function linesOf<T>(run: Run, name: string, schema: z.ZodType<T>): T[] {
  const path = run.path(name);
  if (!existsSync(path)) return [];
  return readJsonLines(path).rows.map((row, at) => {
    const { data, error } = schema.safeParse(row);
    if (error === undefined) return data;
    const [issue] = error.issues;
    const where = issue!.path.length === 0 ? '' : `${issue!.path.join('.')}: `;
    throw new DataError(`${path} line ${at + 1}: ${where}${issue!.message}.`, {
      ...{ file: path, line: at + 1, cause: error },
      help: 'The file was changed or damaged: remove the line, or begin a new run.',
    });
  });
}
