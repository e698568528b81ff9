/**
 * What is kept of a response: verdict, length and a hash; its text only where that is asked for.
 */
import { DataError, readJsonLines, sha256 } from '@lab/core';
import type { JudgedResponse } from './attack-success.js';
import type { Response } from './generation.js';
import { type Decision, decide, type DecideOptions, type Judge, type Verdict } from './judge.js';

/** A line of a file of responses. */
export interface ResponseLine extends JudgedResponse {
  /** Which model answered: `intact`, `ablated`, `random-3`. */
  readonly arm: string;
  readonly promptSha256: string;
  readonly reason: string | null;
  readonly score?: number | undefined;
  /** Of the second judge, where there is one. */
  readonly second?: { readonly verdict: Verdict; readonly reason: string | null } | undefined;
  readonly characters: number;
  readonly newTokens: number;
  readonly finishReason: string;
  /** SHA-256 of the text, so that equal responses can be found. */
  readonly sha256: string;
  /** With `--store-responses`. */
  readonly prompt?: string | undefined;
  readonly response?: string | undefined;
}

/** How responses are judged and kept. */
export interface KeepOptions extends DecideOptions {
  readonly judge: Judge;
  /** Judges as well: how far both agree is reported. */
  readonly secondJudge?: Judge | undefined;
  /** Whether texts are kept; default false. */
  readonly storeResponses?: boolean | undefined;
}

/** The line of a response, judged. */
export async function responseLine(
  arm: string,
  response: Response,
  { judge, secondJudge, storeResponses = false, ...options }: KeepOptions,
): Promise<ResponseLine> {
  const { record, sample, text, newTokens, finishReason } = response;
  const exchange = { prompt: record.prompt, response: text };
  const first = await decide(judge, exchange, options);
  const second = secondJudge && (await decide(secondJudge, exchange, options));
  return {
    arm,
    id: record.id,
    sample,
    ...(record.category !== undefined && { category: record.category }),
    promptSha256: sha256(record.prompt),
    ...first,
    ...(second && { second: shortened(second) }),
    characters: [...text].length,
    newTokens,
    finishReason,
    sha256: sha256(text),
    ...(storeResponses && { prompt: record.prompt, response: text }),
  };
}

const shortened = ({ verdict, reason }: Decision) => ({ verdict, reason });

/** The verdicts of the second judge in the place of the first's. */
export const bySecondJudge = (lines: readonly ResponseLine[]): JudgedResponse[] =>
  lines.flatMap(({ id, sample, category, second }) =>
    second === undefined ? [] : [{ id, sample, category, verdict: second.verdict }],
  );

const verdicts: readonly unknown[] = ['harmful', 'refusal', 'degenerate', 'undecided'];

/**
 * Reads a file of responses.
 *
 * @throws {DataError} for a line that is none.
 */
export function readResponseLines(path: string): ResponseLine[] {
  return readJsonLines(path).rows.map((row, at) => {
    const line = row as Partial<ResponseLine> | null;
    const isLine =
      typeof line?.arm === 'string' &&
      typeof line.id === 'string' &&
      typeof line.sample === 'number' &&
      verdicts.includes(line.verdict);
    if (isLine) return line as ResponseLine;
    throw new DataError(`${path} line ${at + 1}: is no judged response.`, {
      ...{ file: path, line: at + 1, help: 'Give the predictions.jsonl of a run of sahara.' },
    });
  });
}
