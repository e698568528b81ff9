/**
 * A scanner that finds where a JSON object or array ends, forgives what it is told to forgive, and
 * writes the text that `JSON.parse` takes.
 */

/** What a scan forgives, beside the grammar of JSON. */
export interface Allowances {
  /** `[1, 2,]`. */
  readonly trailingCommas?: boolean;
  /** `{'a': 'b'}`, and Python's `True`, `False` and `None`, which come with it. */
  readonly singleQuotes?: boolean;
  /** Line breaks and other control characters inside strings. */
  readonly controlCharacters?: boolean;
  /** The text may end inside the value. */
  readonly unclosed?: boolean;
}

/** A value from `start` to `end`, or the place where none can go on. */
export interface Scan {
  /** Whether a whole value was found. */
  readonly isValue: boolean;
  /** Behind the value, or where the scan failed. */
  readonly end: number;
  /** Text for `JSON.parse`; empty where no value was found. */
  readonly json: string;
  /** Whether the text ended inside the value. */
  readonly isCut: boolean;
  /** Starts of the containers that were open where the scan failed. */
  readonly open: readonly number[];
}

/** Deeper values are refused: what walks them next may be recursive. */
const deepest = 512;

/** Longer than any word or escape that the end of a text may cut. */
const longestCut = 7;

type Awaited = 'colon' | 'comma' | 'key' | 'key-or-end' | 'value' | 'value-or-end';

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null|True|False|None/y;
const blanks = /[ \t\n\r]*/y;
const pythonWords: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'null',
};
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
// Up to what needs a look: quotes, escapes and control characters.
const plainText = /[^"'\\\u0000-\u001f]+/y;

/**
 * The object or array that begins at `start`.
 *
 * Time is linear in what is read; no value is ever evaluated.
 */
export function scanJson(text: string, start: number, allowances: Allowances = {}): Scan {
  return new Scanner(text, start, allowances).scan();
}

class Scanner {
  readonly #text: string;
  readonly #allowances: Allowances;
  #at: number;
  #awaited: Awaited = 'value';
  /** Where the text that is not yet written begins. */
  #unwritten: number;
  readonly #written: string[] = [];
  readonly #open: number[] = [];
  #lastComma = -1;
  /** Lengths of what is written when the last value was whole, to cut there. */
  #whole = { pieces: 0, from: 0, to: 0 };

  constructor(text: string, start: number, allowances: Allowances) {
    this.#text = text;
    this.#allowances = allowances;
    this.#at = start;
    this.#unwritten = start;
    this.#whole = { pieces: 0, from: start, to: start };
  }

  scan(): Scan {
    do {
      this.#skipBlanks();
      if (this.#at >= this.#text.length) return this.#endOfText();
      // What is left may be the beginning of a word, a number or an escape.
      if (!this.#step()) return this.#isNearEnd() ? this.#endOfText() : this.#fail();
    } while (this.#open.length > 0);
    this.#write(this.#at, '');
    return this.#value(false);
  }

  #step(): boolean {
    const character = this.#text[this.#at]!;
    switch (this.#awaited) {
      case 'key':
      case 'key-or-end':
        if (character === '}') return this.#close(this.#awaited === 'key');
        return this.#quoted(character, 'colon');
      case 'colon':
        return character === ':' && this.#pass('value');
      case 'comma':
        if (character === ',') return this.#pass(this.#isObject() ? 'key' : 'value');
        return character === (this.#isObject() ? '}' : ']') && this.#close(false);
      default:
        if (character === ']' && this.#open.length > 0 && !this.#isObject()) {
          return this.#close(this.#awaited === 'value');
        }
        return this.#begin(character);
    }
  }

  #begin(character: string): boolean {
    if (character === '{' || character === '[') {
      if (this.#open.length >= deepest) return false;
      this.#open.push(this.#at);
      this.#pass(character === '{' ? 'key-or-end' : 'value-or-end');
      this.#markWhole();
      return true;
    }
    // A text is no answer by itself here: whole answers are parsed elsewhere.
    if (this.#open.length === 0) return false;
    return this.#quoted(character, 'comma') || this.#numberOrWord();
  }

  #numberOrWord(): boolean {
    const start = this.#at;
    const found = this.#match(number) || this.#match(word);
    if (!found) return false;
    const python = pythonWords[found];
    if (python !== undefined) {
      if (this.#allowances.singleQuotes !== true) {
        this.#at = start;
        return false;
      }
      this.#replace(start, this.#at, python);
    }
    this.#awaited = 'comma';
    // A number at the very end may have lost digits.
    if (',]} \t\n\r'.includes(this.#text[this.#at] ?? '?')) this.#markWhole();
    return true;
  }

  #quoted(character: string, next: Awaited): boolean {
    const isSingle = character === "'" && this.#allowances.singleQuotes === true;
    if (character !== '"' && !isSingle) return false;
    const start = this.#at;
    this.#at += 1;
    if (isSingle) this.#replace(start, this.#at, '"');
    while (this.#at < this.#text.length) {
      if (this.#match(plainText)) continue;
      const inside = this.#text[this.#at]!;
      if (inside === character && (!isSingle || this.#isClosingQuote())) {
        if (isSingle) this.#replace(this.#at, this.#at + 1, '"');
        this.#at += 1;
        this.#awaited = next;
        if (next === 'comma') this.#markWhole();
        return true;
      }
      if (!this.#inText(inside, isSingle)) return false;
    }
    return false;
  }

  /** One character of a string that is not plain. */
  #inText(inside: string, isSingle: boolean): boolean {
    const at = this.#at;
    if (inside === '\\') {
      if (this.#match(escape)) return true;
      if (!isSingle || this.#text[at + 1] !== "'") return false;
      this.#replace(at, at + 2, "'");
      this.#at = at + 2;
      return true;
    }
    if (inside === '"' && isSingle) this.#replace(at, at + 1, '\\"');
    if (inside.charCodeAt(0) < 32) {
      if (this.#allowances.controlCharacters !== true) return false;
      this.#replace(at, at + 1, JSON.stringify(inside).slice(1, -1));
    }
    this.#at = at + 1;
    return true;
  }

  /** An apostrophe inside a word is followed by more than the grammar allows after a string. */
  #isClosingQuote(): boolean {
    blanks.lastIndex = this.#at + 1;
    blanks.exec(this.#text);
    return blanks.lastIndex >= this.#text.length || ',:}]'.includes(this.#text[blanks.lastIndex]!);
  }

  #close(isAfterComma: boolean): boolean {
    if (isAfterComma) {
      // An empty value before the bracket is no comma too many.
      if (this.#allowances.trailingCommas !== true || this.#lastComma < 0) return false;
      this.#replace(this.#lastComma, this.#lastComma + 1, '');
    }
    this.#open.pop();
    this.#at += 1;
    this.#awaited = 'comma';
    this.#markWhole();
    return true;
  }

  #pass(awaited: Awaited): boolean {
    this.#lastComma = this.#text[this.#at] === ',' ? this.#at : -1;
    this.#at += 1;
    this.#awaited = awaited;
    return true;
  }

  #isObject(): boolean {
    return this.#text[this.#open.at(-1)!] === '{';
  }

  #skipBlanks(): void {
    this.#match(blanks);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #replace(from: number, to: number, by: string): void {
    this.#write(from, by);
    this.#unwritten = to;
  }

  #write(until: number, then: string): void {
    this.#written.push(this.#text.slice(this.#unwritten, until), then);
    this.#unwritten = until;
  }

  #markWhole(): void {
    this.#whole = { pieces: this.#written.length, from: this.#unwritten, to: this.#at };
  }

  #isNearEnd(): boolean {
    return this.#text.length - this.#at < longestCut;
  }

  #endOfText(): Scan {
    if (this.#allowances.unclosed !== true || this.#open.length === 0) return this.#fail();
    const { pieces, from, to } = this.#whole;
    this.#written.length = pieces;
    this.#written.push(this.#text.slice(from, to));
    // The brackets of what is open, innermost first: none was closed since the last whole value.
    for (const start of this.#open.toReversed()) {
      this.#written.push(this.#text[start] === '{' ? '}' : ']');
    }
    this.#at = this.#text.length;
    return this.#value(true);
  }

  #value(isCut: boolean): Scan {
    return { isValue: true, end: this.#at, json: this.#written.join(''), isCut, open: [] };
  }

  #fail(): Scan {
    return { isValue: false, end: this.#at, json: '', isCut: false, open: this.#open };
  }
}
