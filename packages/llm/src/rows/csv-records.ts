/**
 * CSV as a stream that waits for its reader.
 */
import { DataError } from '@lab/core';

/** One record of a table. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Of its first line, from 1. */
  readonly line: number;
}

/** Tab, semicolon or comma, whichever a heading holds most of outside quotes. */
export function delimiterOf(heading: string): string {
  const bare = heading.replace(/"[^"]*"/g, '');
  const counted = ['\t', ';', ','].map((mark) => ({ mark, count: bare.split(mark).length }));
  return counted.reduce((best, next) => (next.count > best.count ? next : best)).mark;
}

/**
 * The records of lines; blank lines are passed over, and quoted fields may hold line breaks and
 * doubled quotes. Tab-separated files are read without quotes.
 *
 * @throws {DataError} with the line for a quote that is never closed or is followed by text.
 */
export class CsvReader {
  readonly #path: string;
  readonly #delimiter: string;
  readonly #hasQuotes: boolean;
  /** Lines of a record whose quote is still open. */
  #open: { text: string; readonly line: number } | null = null;

  constructor(path: string, delimiter: string) {
    this.#path = path;
    this.#delimiter = delimiter;
    this.#hasQuotes = delimiter !== '\t';
  }

  /** Takes a line; gives the record that ends with it, if one does. */
  take(text: string, line: number): CsvRecord | undefined {
    if (this.#open === null && text.trim() === '') return undefined;
    const record = this.#open ?? { text: '', line };
    const whole = this.#open === null ? text : `${record.text}\n${text}`;
    if (!this.#hasQuotes || !whole.includes('"')) {
      return { fields: whole.split(this.#delimiter), line };
    }
    const fields = this.#split(whole, record.line);
    this.#open = fields === undefined ? { text: whole, line: record.line } : null;
    return fields === undefined ? undefined : { fields, line: record.line };
  }

  /** Says that there are no more lines. */
  end(): void {
    if (this.#open === null) return;
    const { line, text } = this.#open;
    throw this.#problem('a quote that is never closed', line, text.split('\n')[0] ?? '');
  }

  /** The fields of a record; undefined while a quote is open. */
  #split(text: string, line: number): string[] | undefined {
    const fields: string[] = [];
    for (let at = 0; at <= text.length; ) {
      if (text[at] !== '"') {
        const found = text.indexOf(this.#delimiter, at);
        const end = found < 0 ? text.length : found;
        fields.push(text.slice(at, end));
        at = end + 1;
        continue;
      }
      const end = closingQuote(text, at + 1);
      if (end < 0) return undefined;
      fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
      if (at < text.length && text[at] !== this.#delimiter) {
        throw this.#problem('text after a closing quote', line, text.split('\n')[0] ?? '');
      }
      at += 1;
    }
    return fields;
  }

  #problem(what: string, line: number, text: string): DataError {
    return new DataError(`${this.#path} line ${line}: ${what}.`, {
      file: this.#path,
      line,
      text,
      help: 'inside quotes write " twice; quote whole fields only.',
    });
  }
}

/** Where a quoted field ends; -1 where it does not. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}
