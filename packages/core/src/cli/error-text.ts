import { createColors } from 'picocolors';
import { describeEnvironment } from '../environment.js';
import { DataError, LabError } from '../errors.js';
import type { DefectCollection } from '../defects.js';
import { formatBytes, formatCount } from '../format.js';
import { printable } from './printable.js';

/** How errors are shown. */
export interface ErrorStyle {
  readonly color: boolean;
  readonly width: number;
  readonly debug: boolean;
  /** Lines for `--debug`: program, version, backend ... */
  readonly facts: ReadonlyMap<string, string>;
}

/** An error as plain data for `--json`. */
export interface ErrorObject {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
  /** Of an error in data: file, line, column, text, and all defects where several were found. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const internalHelp = 'this is a defect of the program; run again with --debug and report it.';

/** Code, message and help of any error. */
export function errorObject(error: unknown): ErrorObject {
  if (LabError.is(error)) {
    const { code, message, help = null } = error;
    const details = error.code === 'LAB_DATA' ? { details: error.details } : {};
    return { code, message, help, ...details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'LAB_INTERNAL', message: `internal error: ${message}`, help: internalHelp };
}

/**
 * `error: what` and `  help: what to do`, between them the line of a data error with a mark under
 * the place; with `debug` also the stack, causes and facts.
 */
export function errorText(error: unknown, style: ErrorStyle): string {
  const colors = createColors(style.color);
  const { message, help } = errorObject(error);
  const lines = [
    `${colors.red('error:')} ${printable(message)}`,
    ...placeLines(error, style.width),
  ];
  if (help !== null) lines.push(`  ${colors.bold('help:')} ${printable(help)}`);
  if (style.debug) lines.push('', ...debugLines(error, style.facts));
  return lines.join('\n');
}

/** The line of a data error, cut to the width, with a mark under its column. */
function placeLines(error: unknown, width: number): string[] {
  if (!LabError.is(error)) return [];
  const { text, column } = error.details;
  if (typeof text !== 'string') return [];
  const line = printable(text);
  const room = Math.max(20, width - 6);
  const at =
    typeof column === 'number' ? Math.min(Math.max(0, column - 1), line.length) : undefined;
  const start = at !== undefined && at >= room ? at - Math.floor(room / 2) : 0;
  const shown = line.slice(start, start + room);
  const head = start > 0 ? '...' : '';
  const tail = start + room < line.length ? '...' : '';
  const lines = [`  | ${head}${shown}${tail}`];
  if (at !== undefined) lines.push(`  | ${' '.repeat(head.length + at - start)}^`);
  return lines;
}

function debugLines(error: unknown, facts: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  let cause: unknown = error;
  for (let depth = 0; cause !== undefined && depth < 5; depth += 1) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    lines.push(...`${depth > 0 ? 'caused by: ' : ''}${stack}`.split('\n'));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const machine = describeEnvironment();
  const memory = formatBytes(machine.memoryBytes);
  lines.push('', ...[...facts].map(([name, value]) => `${name}: ${value}`));
  lines.push(`node: ${machine.node}`);
  lines.push(
    `machine: ${machine.platform} ${machine.arch}, ${machine.cpu}, ${machine.cores} cores`,
  );
  lines.push(`memory: ${memory}`);
  return lines.map((line) => `  ${printable(line)}`);
}

/**
 * All collected defects as text: each with its line and mark, then how many more there are.
 *
 * @param width - characters per line.
 */
export function defectList(
  { defects, count }: Pick<DefectCollection, 'defects' | 'count'>,
  width = 80,
): string {
  const lines = defects.flatMap((defect, index) => [
    `${index + 1}. ${printable(defect.message)}`,
    ...placeLines(defect, width),
    ...(defect.help === undefined ? [] : [`  help: ${printable(defect.help)}`]),
  ]);
  if (count > defects.length) lines.push(`and ${formatCount(count - defects.length)} more.`);
  return lines.join('\n');
}

/** The error that stands for all collected defects: the first one's place, the number of all. */
export function defectsError(collected: Pick<DefectCollection, 'defects' | 'count'>): DataError {
  const { defects, count } = collected;
  const word = count === 1 ? 'defect' : 'defects';
  return new DataError(`${formatCount(count)} ${word} in the data.`, {
    file: defects[0]?.file,
    line: defects[0]?.line,
    help: 'correct them and check again.',
    details: { count, defects: defects.map(({ message, details }) => ({ message, ...details })) },
  });
}
