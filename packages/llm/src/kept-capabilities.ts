/**
 * What was found out about servers, kept for a day.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError, makeFolder, sha256, writeFileAtomic } from '@lab/core';
import { z } from 'zod';
import { type Capabilities, structuredLevels } from './capabilities.js';
import { parseAddress } from './redact.js';

const DAY_MS = 86_400_000;

/** What was found, as it stands in a file. */
export const capabilitiesSchema = z.object({
  structured: z.enum(structuredLevels),
  topLogprobs: z.number(),
  tokenize: z.enum(['llama-cpp', 'none', 'vllm']),
  embeddingWidth: z.number(),
  contextTokens: z.number().nullable(),
});

const recordSchema = z.object({
  version: z.literal(1),
  foundMs: z.number(),
  capabilities: capabilitiesSchema,
});

/** Which server, and when. */
export interface KeptOptions {
  readonly baseUrl: string;
  readonly model: string;
  /** Now, in milliseconds since 1970. */
  readonly date: number;
  /** Default: `LAB_CACHE`, else `.cache/lab` of the user. */
  readonly folder?: string | undefined;
}

function placeOf({ baseUrl, model, folder }: KeptOptions): { folder: string; path: string } {
  const root = folder ?? process.env['LAB_CACHE'] ?? join(homedir(), '.cache', 'lab');
  const name = sha256(`${parseAddress(baseUrl)?.url ?? ''}\n${model}`).slice(0, 16);
  const dir = join(root, 'llm-servers');
  return { folder: dir, path: join(dir, `${name}.json`) };
}

/** What was found within the last day; null where nothing was. */
export function keptCapabilities(options: KeptOptions): Capabilities | null {
  let text: string;
  try {
    text = readFileSync(placeOf(options).path, 'utf8');
  } catch {
    return null; // none yet, or not readable: found anew
  }
  const record = recordSchema.safeParse(parsed(text));
  if (!record.success) return null;
  const age = options.date - record.data.foundMs;
  return age >= 0 && age < DAY_MS ? record.data.capabilities : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // damaged files are written anew
  }
}

/**
 * Keeps what was found.
 *
 * @returns the file, or null where nothing can be written.
 */
export function keepCapabilities(capabilities: Capabilities, options: KeptOptions): string | null {
  const { folder, path } = placeOf(options);
  const record = { version: 1, foundMs: options.date, capabilities };
  try {
    makeFolder(folder);
    writeFileAtomic(path, `${JSON.stringify(record)}\n`);
    return path;
  } catch (error) {
    if (!LabError.is(error)) throw error;
    return null;
  }
}
