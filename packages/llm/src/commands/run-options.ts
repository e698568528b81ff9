/** The settings that the flags of `llm run` make. */
import { ConfigError, sha256 } from '@lab/core';
import type { z } from 'zod';
import { structuredLevels } from '../capabilities.js';
import type { ChatRequest, StructuredLevel } from '../chat.js';
import { type PromptTemplate, readPrompt } from '../prompt.js';
import type { QueueRate } from '../queue/queue-rate.js';
import type { FileRow } from '../rows/row-file.js';
import { readText } from '../text-file.js';
import { passedFlags, withEarlierFlags } from './earlier-flags.js';
import { countOf, type FlagValues, numberOf, textOf } from './flag-values.js';
import { type Environment, type ModelSettings, readModelSettings } from './model-settings.js';
import { parseSchema } from './option-files.js';
import { queueOf } from './queue-options.js';
import { readRunSettings, type RunSettings } from './run-settings.js';

/** What a run of a prompt is made from. */
export interface PromptSettings extends ModelSettings, RunSettings {
  readonly data: string;
  readonly idField: string;
  readonly prompt: PromptTemplate;
  readonly system: PromptTemplate | null;
  readonly schema: z.ZodType | null;
  /** How the server is told the schema, where the user says so. */
  readonly structured: StructuredLevel | undefined;
  readonly sampling: Omit<ChatRequest, 'messages'>;
  /** Redis, where other processes ask the server. */
  readonly queue: string | undefined;
  readonly queueRate: QueueRate | undefined;
  /** What decides the answers, for `run.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The flags as given, without secrets, for `--resume DIR`. */
  readonly passed: Readonly<Record<string, unknown>>;
}

const hint = '"llm run -h" shows an example.';

/**
 * The settings that flags make; `--resume DIR` takes what is not given from that run.
 *
 * @throws {ConfigError} for what is missing or wrong, {@link DataError} for files.
 */
export function readPromptSettings(given: FlagValues, env: Environment): PromptSettings {
  const options = withEarlierFlags(given);
  const text = (name: string) => textOf(options, name);
  const { config: asked, ...templates } = askedOf(text);
  const sampling = samplingOf(options);
  const server = readModelSettings(options, { env, hint });
  if (server.replay !== undefined && text('queue') !== undefined) {
    throw new ConfigError('--queue and --replay do not go together: nothing is asked.');
  }
  const idField = text('idField') ?? 'id';
  return {
    ...server,
    ...readRunSettings(options),
    data: needed(text('data'), '--data FILE'),
    idField,
    ...templates,
    sampling,
    ...queueOf(text),
    config: { model: server.model, server: server.serverName, ...asked, sampling, idField },
    // The address of a Redis may hold a password.
    passed: passedFlags(options, ['queue', 'queueRate']),
  };
}

type TextOf = (name: string) => string | undefined;

/** Prompts and schema, and what `run.json` has of them. */
function askedOf(text: TextOf) {
  const prompt = readPrompt(needed(text('prompt'), '--prompt FILE'));
  const systemFile = text('system');
  const system = systemFile === undefined ? null : readPrompt(systemFile);
  const schemaFile = text('schema');
  const schemaText = schemaFile === undefined ? null : readText(schemaFile, 'the schema');
  const structured = structuredOf(text('structured'));
  return {
    prompt,
    system,
    schema: schemaText === null ? null : parseSchema(schemaText, schemaFile ?? ''),
    structured,
    config: {
      prompt: sha256(prompt.text),
      system: system === null ? null : sha256(system.text),
      schema: schemaText === null ? null : sha256(schemaText),
      structured: structured ?? null,
    },
  };
}

function structuredOf(text: string | undefined): StructuredLevel | undefined {
  const level = structuredLevels.find((one) => one === text);
  if (text === undefined || level !== undefined) return level;
  const known = structuredLevels.join(', ');
  throw new ConfigError(`--structured ${JSON.stringify(text)} is none of ${known}.`);
}

function samplingOf(options: FlagValues): PromptSettings['sampling'] {
  const number = (name: string) => numberOf(options, name);
  const [seed, stop] = [number('seed'), options['stop']];
  const extra = textOf(options, 'extra');
  return {
    temperature: number('temperature') ?? 0,
    topP: number('topP') ?? 1,
    maxTokens: countOf(options, 'maxTokens', '--max-tokens') ?? 1024,
    ...(Array.isArray(stop) ? { stop: stop.map(String) } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(extra === undefined ? {} : { extra: parseExtra(extra) }),
  };
}

function parseExtra(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ConfigError('--extra is no JSON object.', { help: `write --extra '{"top_k": 20}'.` });
}

function needed(value: string | undefined, flag: string): string {
  if (value !== undefined && value !== '') return value;
  throw new ConfigError(`${flag} is missing.`, { help: hint });
}

/** The request of a row. */
export function requestOf(row: FileRow, settings: PromptSettings): ChatRequest {
  const { prompt, system, sampling } = settings;
  const messages: ChatRequest['messages'] = [
    ...(system === null ? [] : [{ role: 'system', content: system.fill(row) } as const]),
    { role: 'user', content: prompt.fill(row) },
  ];
  return { messages, ...sampling };
}
