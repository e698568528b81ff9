import { plainInteger } from './array-builder.js';
import type { PickleMachine } from './machine.js';

const maxDigits = 4300;
const maxIntegerBytes = 1024;
const simpleEscapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The value of an INT line: a bool in its old spelling, or an integer. */
export function parseInt0(machine: PickleMachine, line: string): unknown {
  if (line === '00') return false;
  if (line === '01') return true;
  return parseLong(machine, line);
}

/** The value of a LONG line: an integer, with or without the L of Python 2. */
export function parseLong(machine: PickleMachine, line: string): number | bigint {
  const text = line.trim().replace(/L$/, '');
  if (text.length > maxDigits || !/^[+-]?\d+$/.test(text)) {
    throw machine.failure('has an integer that cannot be read');
  }
  const isNegative = text.startsWith('-');
  const magnitude = BigInt(text.replace(/^[+-]/, ''));
  return plainInteger(isNegative ? -magnitude : magnitude);
}

/** The value of a FLOAT line. */
export function parseFloat0(machine: PickleMachine, line: string): number {
  const text = line.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const named = /^([+-]?)(inf|nan)$/i.exec(text);
  if (named === null) throw machine.failure('has a float that cannot be read');
  if (named[2]!.toLowerCase() === 'nan') return Number.NaN;
  return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A two's complement integer, least significant byte first. */
export function readInteger(machine: PickleMachine, length: number): number | bigint {
  if (length < 0 || length > maxIntegerBytes) {
    throw machine.failure(`has an integer of ${length} bytes`);
  }
  let value = 0n;
  const bytes = machine.input.bytes(length);
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return plainInteger(BigInt.asIntN(8 * length, value));
}

/** The text of a STRING line: a quoted Python literal, its bytes as Latin-1. */
export function parseString(machine: PickleMachine, line: string): string {
  const quoted = line.trim();
  const quote = quoted[0];
  if (quoted.length < 2 || (quote !== "'" && quote !== '"') || quoted.at(-1) !== quote) {
    throw machine.failure('has a string without quotes');
  }
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x([\da-fA-F]{2})|([0-7]{1,3})|(.))/g, (whole, hex, octal, single: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex as string, 16));
      if (octal !== undefined)
        return String.fromCharCode(Number.parseInt(octal as string, 8) & 255);
      return simpleEscapes[single] ?? whole;
    });
}

/** The text of a UNICODE line: Latin-1 with `\u` and `\U` escapes. */
export function parseUnicode(machine: PickleMachine, line: string): string {
  return line.replace(/\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})/g, (_, short, long) => {
    const code = Number.parseInt((short ?? long) as string, 16);
    if (code > 0x10ffff) throw machine.failure('has a character that does not exist');
    return String.fromCodePoint(code);
  });
}
