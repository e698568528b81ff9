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

/** A record whose last quote is still open. */
interface OpenRecord {
  readonly line: number;
  /** Its first line. */
  readonly text: string;
  readonly fields: string[];
  /** Of the field with the open quote. */
  readonly parts: string[];
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
  #open: OpenRecord | null = null;

  constructor(path: string, delimiter: string) {
    this.#path = path;
    this.#delimiter = delimiter;
    this.#hasQuotes = delimiter !== '\t';
  }

  /**
   * Takes a line; gives the record that ends with it, if one does.
   *
   * @param end - what ends the line: inside quotes it belongs to the text.
   */
  take(text: string, line: number, end = '\n'): CsvRecord | undefined {
    const isOpen = this.#open !== null;
    if (!isOpen && text.trim() === '') return undefined;
    if (!isOpen && !(this.#hasQuotes && text.includes('"'))) {
      return { fields: text.split(this.#delimiter), line };
    }
    const record = this.#open ?? { line, text, fields: [], parts: [] };
    const isWhole = this.#add(record, text, isOpen);
    this.#open = isWhole ? null : record;
    if (isWhole) return { fields: record.fields, line: record.line };
    record.parts.push(end);
    return undefined;
  }

  /** Says that there are no more lines. */
  end(): void {
    if (this.#open !== null) throw this.#problem('a quote that is never closed', this.#open);
  }

  /** Adds the fields of a line to a record; whether none of them is left open. */
  #add(record: OpenRecord, text: string, isOpen: boolean): boolean {
    let isQuoted = isOpen;
    for (let at = 0; ; at += 1) {
      if (!isQuoted && text[at] === '"') {
        isQuoted = true;
        at += 1;
      }
      const end = isQuoted ? closingQuote(text, at) : this.#delimiterFrom(text, at);
      if (!isQuoted) record.fields.push(text.slice(at, end));
      else {
        const part = end < 0 ? text.slice(at) : text.slice(at, end);
        record.parts.push(part.replaceAll('""', '"'));
        if (end < 0) return false;
        record.fields.push(record.parts.splice(0).join(''));
      }
      at = isQuoted ? end + 1 : end;
      if (at >= text.length) return true;
      if (text[at] !== this.#delimiter) {
        throw this.#problem('text after a closing quote', record);
      }
      isQuoted = false;
    }
  }

  #delimiterFrom(text: string, at: number): number {
    const found = text.indexOf(this.#delimiter, at);
    return found < 0 ? text.length : found;
  }

  #problem(what: string, { line, text }: OpenRecord): DataError {
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
