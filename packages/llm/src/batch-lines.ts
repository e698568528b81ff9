/**
 * The lines of batch files, of requests as of answers: one JSON object each, named by the hash of
 * its request.
 */
import { DataError, eachLine } from '@lab/core';

/** What every line of a batch has. */
export interface BatchLine {
  readonly custom_id: string;
}

/** One kind of lines. */
export interface BatchForm<Line extends BatchLine> {
  /** As errors call one, e.g. `an answer`. */
  readonly name: string;
  readonly help: string;
  /** Whether what stands in a line is one. */
  readonly isLine: (value: BatchLine) => value is Line;
}

/**
 * Calls for each line of a file; blank ones are passed over.
 *
 * @throws {DataError} for a line that is none of the form.
 */
export async function eachBatchLine<Line extends BatchLine>(
  path: string,
  form: BatchForm<Line>,
  take: (line: Line) => void,
): Promise<void> {
  await eachLine(path, (text, line) => {
    if (text.trim() === '') return;
    const value = parsed(text);
    if (value !== undefined && form.isLine(value)) {
      take(value);
      return;
    }
    throw new DataError(`${path} line ${line}: not ${form.name} of a batch.`, {
      file: path,
      line,
      text,
      help: form.help,
    });
  });
}

function parsed(text: string): BatchLine | undefined {
  try {
    const value = JSON.parse(text) as Partial<BatchLine> | null;
    return typeof value?.custom_id === 'string' ? (value as BatchLine) : undefined;
  } catch {
    return undefined; // what is no JSON is no line of a batch either
  }
}
