/**
 * Ids that end a text, as a checkpoint's files have them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '@lab/core';
import { readJsonObject } from '../json-file.js';
import { configOf } from '../model-config.js';

/**
 * `eos_token_id` of generation_config.json, else of the config or the text model in it; empty where
 * none has one.
 *
 * @throws {ModelError} where it is something else than ids.
 */
export function stopIdsOf(folder: string): number[] {
  const own = join(folder, 'generation_config.json');
  const { values, file } = configOf(folder);
  const inner = (values['text_config'] ?? {}) as Readonly<Record<string, unknown>>;
  const sources = [
    ...(existsSync(own) ? [{ from: own, given: readJsonObject(own)['eos_token_id'] }] : []),
    { from: file, given: values['eos_token_id'] },
    { from: file, given: inner['eos_token_id'] },
  ];
  const found = sources.find(({ given }) => given !== undefined && given !== null);
  if (found === undefined) return [];
  const ids: unknown[] = Array.isArray(found.given) ? found.given : [found.given];
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) >= 0;
  if (ids.every(isId)) return ids;
  throw new ModelError(`${found.from}: eos_token_id is ${JSON.stringify(found.given)}.`, {
    help: 'It must be an id or a list of ids.',
  });
}
