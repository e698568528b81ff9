/** What `llm run` takes its server to be able to do. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { type Capabilities, presumedCapabilities } from '../capabilities.js';
import { systemClock } from '../clock.js';
import { capabilitiesSchema, keptCapabilities } from '../kept-capabilities.js';
import { runFolder } from '../rows/run-files.js';
import type { PromptSettings } from './run-options.js';

/** What is known, and from where. */
export interface KnownCapabilities {
  readonly capabilities: Capabilities;
  /** `run`: what the run was begun with; `presumed`: nothing is known. */
  readonly source: 'doctor' | 'presumed' | 'run';
}

/** What decides about the server. */
type ServerSettings = Pick<
  PromptSettings,
  'baseUrl' | 'isResumed' | 'model' | 'out' | 'shard' | 'structured'
>;

/**
 * What the flags say, else what the run was begun with, else what `llm doctor` found within the
 * last day: a run that goes on asks as before, whatever was found out meanwhile.
 */
export function knownCapabilities(settings: ServerSettings): KnownCapabilities {
  const { baseUrl, isResumed, model, out, shard, structured } = settings;
  const given = structured === undefined ? {} : { structured };
  const earlier = isResumed ? capabilitiesOf(runFolder(out, shard)) : null;
  if (earlier !== null) return { capabilities: { ...earlier, ...given }, source: 'run' };
  const kept = keptCapabilities({ baseUrl, model, date: systemClock.date() });
  const found = kept ?? presumedCapabilities;
  return { capabilities: { ...found, ...given }, source: kept === null ? 'presumed' : 'doctor' };
}

/** What a run was begun with; null where there is none, or an older one. */
function capabilitiesOf(dir: string): Capabilities | null {
  if (!existsSync(join(dir, 'run.json'))) return null;
  const { backend } = readRunRecord(dir);
  const { capabilities } = (backend ?? {}) as { readonly capabilities?: unknown };
  return capabilitiesSchema.safeParse(capabilities).data ?? null;
}

const sources: Readonly<Record<KnownCapabilities['source'], string>> = {
  doctor: 'as "llm doctor" found',
  presumed: 'as nothing is known of the server; "llm doctor" finds out',
  run: 'as before',
};

/** How answers as data are asked for, in words; null where none are. */
export function structuredNote(
  { schema, structured }: Pick<PromptSettings, 'schema' | 'structured'>,
  { capabilities, source }: KnownCapabilities,
): string | null {
  if (schema === null) return null;
  const why = structured === undefined ? sources[source] : 'as --structured says';
  return `answers as data by ${capabilities.structured}, ${why}`;
}
