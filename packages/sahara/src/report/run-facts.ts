/**
 * What a run of responses was about, as pages group and compare it.
 */
import { basename } from 'node:path';
import type { RunRecord } from '@lab/core';
import type { HeadId } from '../head.js';
import {
  type PaperAblation,
  type PaperData,
  paperDataOf,
  type PaperLevel,
  type PaperModel,
  paperModelOf,
} from '../published.js';
import type { RunContents } from './run-contents.js';

/** Facts of a run of responses. */
export interface ResponseFacts {
  /** Last part of the folder of the model. */
  readonly model: string;
  /** File of the prompts, without folder and ending. */
  readonly data: string;
  /** Such as `uniform` or `scale at z`. */
  readonly ablation: string;
  readonly decoding: string;
  readonly format: string;
  readonly judge: string;
  readonly heads: readonly HeadId[];
  /** Heads of each prompt. */
  readonly headCount: number;
  readonly level: PaperLevel;
  /** What of the paper this is; null for others. */
  readonly paper: {
    readonly model: PaperModel | null;
    readonly data: PaperData | null;
    readonly ablation: PaperAblation | null;
  };
}

interface KeptSettings {
  readonly heads?: readonly HeadId[];
  readonly byPrompt?: readonly (readonly [string, readonly HeadId[]])[] | null;
  readonly ablation?: { readonly kind?: string; readonly site?: string };
  readonly format?: string;
  readonly decoding?: string;
  readonly judges?: readonly string[];
}

/** Last part of the folder of the model of a run. */
export function modelName({ environment }: RunRecord): string {
  const { path } = (environment['model'] ?? {}) as { readonly path?: unknown };
  return typeof path === 'string' ? basename(path) : 'an unnamed model';
}

/** The facts of a run of responses, from its record alone. */
export function responseFacts({ record }: Pick<RunContents, 'record'>): ResponseFacts {
  const settings = (record.config.resolved ?? {}) as KeptSettings;
  const { heads = [], byPrompt, ablation = {}, decoding = 'greedy' } = settings;
  const [data = ''] = record.data.map(({ path }) => basename(path));
  const model = modelName(record);
  const { path: folder = model } = (record.environment['model'] ?? {}) as { path?: string };
  return {
    ...{ model, heads, decoding, data: data.replace(/\.[a-z.]+$/i, '') },
    ablation: ablationName(ablation),
    format: shortFormat(settings.format ?? 'template'),
    judge: settings.judges?.[0] ?? 'sahara-paper',
    headCount: byPrompt?.[0]?.[1].length ?? heads.length,
    level: byPrompt === null || byPrompt === undefined ? 'data set' : 'query',
    paper: {
      model: paperModelOf(folder),
      data: paperDataOf(data),
      ablation: paperAblationOf(ablation),
    },
  };
}

const LONGEST_FORMAT = 24;

/** A format by its name; a text of one's own is cut. */
function shortFormat(format: string): string {
  const line = format.replace(/\s+/g, ' ');
  return line.length > LONGEST_FORMAT ? `${line.slice(0, LONGEST_FORMAT)}…` : line;
}

function ablationName({ kind = '', site = '' }: NonNullable<KeptSettings['ablation']>): string {
  return kind === 'uniform' || site === '' ? kind : `${kind} at ${site}`;
}

/** Eq. 7 destroys the pattern, eq. 8 shrinks what a head gives. */
function paperAblationOf({
  kind,
  site = '',
}: NonNullable<KeptSettings['ablation']>): PaperAblation | null {
  if (kind === 'uniform') return 'UA';
  if (kind !== 'scale' && kind !== 'zero') return null;
  if (['q', 'k', 'scores'].includes(site)) return 'UA';
  return ['v', 'z', 'pattern'].includes(site) ? 'SC' : null;
}
