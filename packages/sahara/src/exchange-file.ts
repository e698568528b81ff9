/**
 * Prompts with their responses, to be judged: of a run that kept them, or of any other program.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, readJsonLines } from '@lab/core';
import { readPromptData } from '@lab/transformer';
import type { Verdict } from './judge.js';
import { type ResponseLine, readResponseLines } from './response-line.js';

/** A prompt with a response. */
export interface Exchange {
  readonly arm: string;
  readonly id: string;
  readonly sample: number;
  readonly category?: string | undefined;
  readonly prompt: string;
  readonly response: string;
  /** What an earlier judge said, where there is one. */
  readonly earlier: Verdict | null;
}

/**
 * Reads exchanges: `predictions.jsonl` of a run of `sahara ablate --store-responses`, or its
 * folder; or a CSV, JSON or JSON lines file with a column of prompts and one `response`.
 *
 * @throws {DataError} for a run that did not keep texts, and for a prompt without a response.
 */
export async function readExchanges(path: string): Promise<Exchange[]> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, 'predictions.jsonl') : path;
  if (isRunFile(file)) return readResponseLines(file).map((line) => exchangeOf(file, line));
  const { records } = await readPromptData(file);
  return records.map(({ id, category, prompt, response }) => {
    if (response === undefined) {
      throw new DataError(`${file}: the prompt ${id} has no response.`, {
        ...{ file, field: 'response', help: 'Give a file with the columns prompt and response.' },
      });
    }
    return { arm: 'given', id, sample: 0, category, prompt, response, earlier: null };
  });
}

/** Whether a file is one of a run: its first line has an arm. */
function isRunFile(file: string): boolean {
  if (!file.endsWith('.jsonl') || !existsSync(file)) return false;
  const [first] = readJsonLines(file).rows;
  return typeof (first as { arm?: unknown } | undefined)?.arm === 'string';
}

function exchangeOf(file: string, line: ResponseLine): Exchange {
  const { arm, id, sample, category, prompt, response, verdict } = line;
  if (prompt !== undefined && response !== undefined) {
    return { arm, id, sample, category, prompt, response, earlier: verdict };
  }
  throw new DataError(`${file}: the response to ${id} was not kept.`, {
    ...{ file, help: 'Run "sahara ablate" with --store-responses to judge responses later.' },
  });
}
