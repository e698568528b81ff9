import { DataError } from './errors.js';
import { checkedBlocks } from './text-blocks.js';
import { eachLine } from './text-file.js';

/**
 * The separator of a table: tab, semicolon or comma, whichever the first line that is not blank
 * holds most of outside quotes; comma when it holds none.
 */
export async function sniffDelimiter(path: string): Promise<string> {
  for await (const block of checkedBlocks(path)) {
    const line = block
      .toString('utf8')
      .split('\n', 50)
      .find((text) => text.trim() !== '');
    if (line !== undefined) return delimiterOf(line);
  }
  return ',';
}

function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '');
  let best = ',';
  let most = 0;
  for (const candidate of ['\t', ';', ',']) {
    const count = bare.split(candidate).length - 1;
    if (count > most) {
      best = candidate;
      most = count;
    }
  }
  return best;
}

/** How the table is written; see {@link locateQuoteProblem}. */
export interface QuoteRules {
  readonly delimiter: string;
  readonly quote: string;
  readonly cause: unknown;
}

/**
 * The error for a table whose quotes do not fit: it names the line and column of the first field
 * whose quote is not closed or is followed by text. Where that text stands in a later line, it is
 * the opening quote that is named: most likely it should have been closed in its own line.
 */
export async function locateQuoteProblem(path: string, rules: QuoteRules): Promise<DataError> {
  const scan = new QuoteScan(rules);
  await eachLine(path, (text, line) => scan.take(text, line));
  const found = scan.problem ?? scan.opened;
  const what = scan.problem?.what ?? 'a quote that is never closed';
  if (!found) return new DataError(`${path}: ${String(rules.cause)}`, { file: path });
  return new DataError(`${path} line ${found.line}: ${what}.`, {
    file: path,
    line: found.line,
    column: found.column,
    text: found.text,
    help: `inside quotes write ${rules.quote} twice; quote whole fields only.`,
    cause: rules.cause,
  });
}

interface Spot {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

class QuoteScan {
  problem: (Spot & { readonly what: string }) | undefined;
  opened: Spot | undefined;
  readonly #rules: QuoteRules;

  constructor(rules: QuoteRules) {
    this.#rules = rules;
  }

  take(text: string, line: number): void {
    if (this.problem || (!this.opened && !text.includes(this.#rules.quote))) return;
    const { delimiter, quote } = this.#rules;
    let isFieldStart = this.opened === undefined;
    for (let i = 0; i < text.length; i += 1) {
      const letter = text[i];
      if (this.opened) {
        if (letter !== quote) continue;
        if (text[i + 1] === quote) i += 1;
        else {
          const { opened } = this;
          this.opened = undefined;
          const after = text[i + 1];
          if (after !== undefined && after !== delimiter) {
            this.problem = textAfterQuote(opened, { line, column: i + 2, text });
            return;
          }
        }
      } else if (letter === quote && isFieldStart) this.opened = { line, column: i + 1, text };
      isFieldStart = letter === delimiter;
    }
  }
}

/** The place to be named where text follows a closing quote. */
function textAfterQuote(opened: Spot, after: Spot): Spot & { readonly what: string } {
  if (opened.line === after.line) return { ...after, what: 'text after a closing quote' };
  const what = `a quote that is not closed before line ${after.line}, where text follows it`;
  return { ...opened, what };
}
