import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, LabError } from './errors.js';
import { describeFileProblem, systemCode } from './file-problem.js';
import { type RunRecord, runRecordSchema, runSchemaVersion } from './run-schema.js';

/**
 * The checked content of `run.json`.
 *
 * @throws {DataError} when it is missing, not JSON, of another version (named), or incomplete.
 */
export function readRunRecord(dir: string): RunRecord {
  const file = join(dir, 'run.json');
  const value = parseRecord(file);
  const version = isObject(value) ? value.schemaVersion : undefined;
  if (version !== runSchemaVersion) {
    const shown = JSON.stringify(version) ?? 'absent';
    throw new DataError(
      `${file}: schema version is ${shown}, this program reads ${runSchemaVersion}.`,
      { file, field: 'schemaVersion', help: 'use the version of the package that wrote the run.' },
    );
  }
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new DataError(`${file}: ${where}: ${issue?.message ?? 'is not a run record'}.`, {
    file,
    field: where,
    help: 'the file was changed by hand or damaged; start a new run.',
  });
}

function parseRecord(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (cause) {
    const isMissing = systemCode(cause) !== '';
    const what = isMissing ? describeFileProblem(file, cause) : `${file}: not JSON.`;
    throw new DataError(what, {
      file,
      help: isMissing
        ? 'give the folder of a run, as printed when it started.'
        : 'start a new run.',
      cause,
    });
  }
}

/** Whether a value read from JSON is an object, not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `run.json` keeps of an error. */
export function errorRecordOf(error: unknown): RunRecord['error'] {
  if (LabError.is(error)) {
    const help = error.help === undefined ? {} : { help: error.help };
    return { code: error.code, message: error.message, ...help };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'LAB_INTERNAL', message };
}
