/**
 * Interventions from a JSON file.
 */
import { readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import { type Intervention, interventionsSchema } from './interventions.js';
import { schemaProblems } from './json-schema.js';

/** Problems of a file that are listed; the rest is counted. */
const LISTED = 5;

/**
 * Reads a list of interventions, checked against {@link interventionsSchema}.
 *
 * @param path - JSON file: `[{ "kind": "zero", "site": "z", "layer": 1, "head": 2 }]`.
 * @throws {DataError} where the file is something else, saying where: `file.json[2].layer`.
 */
export function readInterventions(path: string): Intervention[] {
  const help = 'Write a list: [{ "kind": "zero", "site": "z", "layer": 1, "head": 2 }].';
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const isAbsent = (cause as { code?: string }).code === 'ENOENT';
    const what = isAbsent ? 'there is no such file' : `is not JSON (${(cause as Error).message})`;
    throw new DataError(`${path}: ${what}.`, { file: path, cause, help });
  }
  const problems = schemaProblems(value, interventionsSchema);
  const [first] = problems;
  if (first === undefined) return value as Intervention[];
  const shown = problems.slice(0, LISTED).map((one) => `${path}${one.path}: ${one.what}`);
  const rest = problems.length - shown.length;
  const more = rest > 0 ? `; and ${rest} more` : '';
  throw new DataError(`${shown.join('; ')}${more}.`, { file: path, field: first.path, help });
}
