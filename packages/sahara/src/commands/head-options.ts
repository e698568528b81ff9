/** The flags that say which heads, and what is done with them. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError } from '@lab/core';
import type { CliInput, CliOption } from '@lab/core/cli';
import type { Architecture } from '@lab/transformer';
import type { AblatedHeads } from '../ablate-arms.js';
import {
  type AblationKind,
  ablationKinds,
  type AblationSite,
  ablationSites,
  type Granularity,
  type HeadAblation,
  headCounts,
  resolveAblation,
} from '../ablation.js';
import { assertHeads, headKey, type HeadId, parseHead, rankHeads } from '../head.js';
import { loadScores, type ScoreFile } from '../score-file.js';

const topic = 'heads';

/** Flags that name heads. */
export const headOptions: readonly CliOption[] = [
  {
    flags: '--heads <list>',
    summary: 'heads, layer first: 2-26,3-1',
    kind: 'list',
    topic,
  },
  {
    flags: '--scores <file>',
    summary: 'scores.json of a scan, or its run: its best heads in their place',
    topic,
  },
  {
    flags: '--top <n>',
    summary: 'so many of the best heads of --scores',
    kind: 'integer',
    unit: 'default 1, or the whole group of a search',
    topic,
  },
];

/** Flags that say what ablating is. */
export const ablationOptions: readonly CliOption[] = [
  {
    flags: '--ablation <kind>',
    summary: 'uniform: even attention; scale: times eps; zero; mean over the heads of a layer',
    choices: ablationKinds,
    unit: 'default uniform',
    topic,
  },
  {
    flags: '--site <place>',
    summary: 'where: pattern, scores, q, k, v or z',
    choices: ablationSites,
    unit: 'default by the kind',
    topic,
  },
  { flags: '--eps <x>', summary: 'factor of scale', kind: 'number', unit: 'default 1e-5', topic },
  {
    flags: '--granularity <what>',
    summary: 'what a head is at k and v, where several share keys and values',
    choices: ['query-head', 'kv-group'],
    topic,
  },
];

/** The ablation of the flags. */
export const ablationOf = ({ options }: CliInput): HeadAblation => ({
  kind: (options['ablation'] as AblationKind | undefined) ?? 'uniform',
  site: options['site'] as AblationSite | undefined,
  eps: options['eps'] as number | undefined,
  granularity: options['granularity'] as Granularity | undefined,
});

/** Heads to ablate, checked against a model. */
export type ChosenHeads = AblatedHeads;

/**
 * The heads that the flags name, checked against a model.
 *
 * @param given - what is done with them; default what the flags say.
 * @throws {ConfigError} for none, for both ways to name them, and for heads that are not there.
 */
export function chosenHeads(
  input: CliInput,
  architecture: Architecture,
  given: HeadAblation = ablationOf(input),
): ChosenHeads {
  const { heads, scores, perPrompt } = input.options;
  const ablation = resolveAblation(given, architecture);
  const counts = headCounts(architecture, ablation);
  if (heads === undefined && scores === undefined) {
    throw new ConfigError('--heads LIST is missing.', {
      help: 'Name heads such as 2-26,3-1, or a scan with --scores runs/RUN.',
    });
  }
  if (heads !== undefined && scores !== undefined) {
    throw new ConfigError('--heads and --scores both name heads.', { help: 'Give one of them.' });
  }
  if (heads !== undefined) {
    const own = (heads as string[]).map((text) => parseHead(text, '--heads'));
    assertHeads(own, counts, '--heads');
    return { ablation, heads: own, byPrompt: null };
  }
  const path = scoreFilePath(String(scores));
  const file = loadScores(path);
  const top = input.options['top'] as number | undefined;
  if (top !== undefined && !(top >= 1)) throw new ConfigError(`--top is ${top}, at least 1.`);
  const byPrompt = perPrompt === true ? promptHeads(file, path, top ?? 1) : null;
  const best = byPrompt === null ? bestHeads(file, top) : [];
  for (const own of [best, ...(byPrompt?.values() ?? [])]) assertHeads(own, counts, '--scores');
  return { ablation, heads: best, byPrompt };
}

/**
 * The file of scores that a path names: the file itself, or `scores.json` of a run. Every verb
 * reads the same one: scores of every head alone, and of a search also the group that it picked.
 *
 * @throws {DataError} for a folder without one.
 */
export function scoreFilePath(path: string): string {
  if (!existsSync(path) || !statSync(path).isDirectory()) return path;
  const file = join(path, 'scores.json');
  if (existsSync(file)) return file;
  throw new DataError(`${path}: has no scores.json.`, {
    ...{
      file,
      help: 'Give a run of "sahara ships" or "sahara sahara" that has ended, or its file.',
    },
  });
}

/** The best heads of a file; of a search its group, in the order of the picks. */
function bestHeads({ group, scores }: ScoreFile, top: number | undefined): HeadId[] {
  if (group !== undefined) return group.slice(0, top);
  return rankHeads(scores, top ?? 1).map(({ layer, head }) => ({ layer, head }));
}

function promptHeads(
  { prompts }: ScoreFile,
  path: string,
  top: number,
): ReadonlyMap<string, readonly HeadId[]> {
  if (prompts === undefined) {
    throw new DataError(`${path}: has no heads prompt by prompt.`, {
      ...{ file: path, help: 'Score with "sahara ships", or leave --per-prompt out.' },
    });
  }
  return new Map(
    prompts.map(({ id, top: best }) => [
      id,
      best.slice(0, top).map(({ layer, head }) => ({ layer, head })),
    ]),
  );
}

/** Heads in words. */
export const headsText = (heads: readonly HeadId[]): string => heads.map(headKey).join(', ');
