import { Readable } from 'node:stream';
import { writeFileAtomic } from './atomic-file.js';
import { locateQuoteProblem, sniffDelimiter } from './csv-scan.js';
import { type OnDefect, throwDefect } from './defects.js';
import { DataError } from './errors.js';
import { checkedBlocks } from './text-blocks.js';

/** Settings of {@link readCsv}. */
export interface ReadCsvOptions {
  /** `auto` (default) takes tab, semicolon or comma, whichever the first line holds most of. */
  readonly delimiter?: 'auto' | (string & {}) | undefined;
  /** Whether the first row is a heading; it then goes to `onHeader` and not to `onRow`. */
  readonly header?: boolean | undefined;
  /** Called with the heading before the first row. */
  readonly onHeader?: ((header: string[], line: number) => void) | undefined;
  /** Quote character; `null` for none. Default `"`, and none in tab-separated files. */
  readonly quote?: string | null | undefined;
  /** Called for ragged rows, which are then left out. Default: throw. */
  readonly onDefect?: OnDefect | undefined;
}

/** What {@link readCsv} found. */
export interface CsvSummary {
  readonly delimiter: string;
  /** The heading, `null` without `header`. */
  readonly header: string[] | null;
  /** Rows handed to `onRow`. */
  readonly rowCount: number;
}

type OnRow = (row: string[], line: number) => void;

/**
 * What was found, after each row of a CSV or TSV file went to `onRow` with the number of its first
 * line, as a stream. Gzip, byte-order mark, CRLF, blank lines and a missing final line feed are
 * accepted; quoted fields may hold line breaks. A first field of white space alone reads as empty
 * unless it is quoted.
 *
 * @throws {DataError} when the file cannot be read or is not text, a quote is not closed, or -
 *   unless `onDefect` goes on - a row has not as many fields as the first.
 */
export async function readCsv(
  path: string,
  options: ReadCsvOptions,
  onRow: OnRow,
): Promise<CsvSummary> {
  const { delimiter: wish = 'auto' } = options;
  const delimiter = wish === 'auto' ? await sniffDelimiter(path) : wish;
  const quote = options.quote === undefined ? (delimiter === '\t' ? null : '"') : options.quote;
  // Loaded with the first file: most commands read none.
  const { parse } = await import('fast-csv');
  const reader = new RowReader(path, options, onRow);
  const blocks = Readable.from(checkedBlocks(path));
  const rows = parse({ headers: false, delimiter, quote, ignoreEmpty: false });
  blocks.on('error', (error) => rows.destroy(error)).pipe(rows);
  try {
    await reader.readAll(rows as AsyncIterable<string[]>);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Parse Error'))) throw error;
    throw await locateQuoteProblem(path, { delimiter, quote: quote ?? '"', cause: error });
  } finally {
    blocks.destroy();
  }
  return { delimiter, header: reader.header, rowCount: reader.rowCount };
}

class RowReader {
  header: string[] | null = null;
  rowCount = 0;
  readonly #path: string;
  readonly #options: ReadCsvOptions;
  readonly #onRow: OnRow;
  #line = 1;
  #width = -1;

  constructor(path: string, options: ReadCsvOptions, onRow: OnRow) {
    this.#path = path;
    this.#options = options;
    this.#onRow = onRow;
  }

  async readAll(rows: AsyncIterable<string[]>): Promise<void> {
    for await (const row of rows) {
      const line = this.#line;
      this.#line += 1 + lineBreaks(row);
      if (row.length > 0) this.#take(row, line);
    }
  }

  #take(row: string[], line: number): void {
    if (this.#width < 0) {
      this.#width = row.length;
      if (this.#options.header === true) {
        this.header = row;
        this.#options.onHeader?.(row, line);
        return;
      }
    }
    if (row.length !== this.#width) {
      (this.#options.onDefect ?? throwDefect)(this.#ragged(row, line));
      return;
    }
    this.rowCount += 1;
    this.#onRow(row, line);
  }

  #ragged(row: string[], line: number): DataError {
    const counts = `${row.length} fields where the first row has ${this.#width}`;
    return new DataError(`${this.#path} line ${line}: ${counts}.`, {
      file: this.#path,
      line,
      text: row.join(' | '),
      help: 'give every row the same number of fields; quote fields that hold the separator.',
    });
  }
}

function lineBreaks(row: readonly string[]): number {
  let count = 0;
  for (const field of row) {
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count += 1;
  }
  return count;
}

/** Settings of {@link writeCsv}. */
export interface WriteCsvOptions {
  /** Default: tab for names ending in `.tsv`, else comma. */
  readonly delimiter?: string | undefined;
  /** A byte-order mark, which some spreadsheets need for letters beyond ASCII. Default: none. */
  readonly byteOrderMark?: boolean | undefined;
}

/**
 * Resolves when a heading and rows are written as CSV, atomically: a crash or a full disk leaves
 * the old file whole. Lines end in LF. Fields are quoted where a reader needs it; in tab-separated
 * files, which are read without quotes, only those that hold a tab or a line break.
 *
 * @throws {DataError} when the disk is full or the folder cannot be written.
 */
export async function writeCsv(
  path: string,
  header: readonly string[],
  rows: Iterable<readonly (string | number)[]>,
  options: WriteCsvOptions = {},
): Promise<void> {
  const delimiter = options.delimiter ?? (path.endsWith('.tsv') ? '\t' : ',');
  const lines = csvLines(delimiter, header, rows);
  writeFileAtomic(path, options.byteOrderMark === true ? prefixed('\ufeff', lines) : lines);
}

function* prefixed(first: string, others: Iterable<string>): Generator<string> {
  yield first;
  yield* others;
}

const rowsPerBlock = 1024;

/** The text of the table in blocks of many lines. */
function* csvLines(
  delimiter: string,
  header: readonly string[],
  rows: Iterable<readonly (string | number)[]>,
): Generator<string> {
  let block = csvLine(header, delimiter);
  let count = 1;
  for (const row of rows) {
    block += csvLine(row, delimiter);
    count += 1;
    if (count % rowsPerBlock !== 0) continue;
    yield block;
    block = '';
  }
  yield block;
}

function csvLine(row: readonly (string | number)[], delimiter: string): string {
  const fields = row.map((value) => {
    const field = String(value);
    const isSplit = field.includes(delimiter) || /[\r\n]/.test(field);
    const needsQuotes = isSplit || (delimiter !== '\t' && /"|^\s|\s$/.test(field));
    return needsQuotes ? `"${field.replaceAll('"', '""')}"` : field;
  });
  const isBlank = fields.length === 1 && fields[0] === '';
  return `${isBlank ? '""' : fields.join(delimiter)}\n`;
}
