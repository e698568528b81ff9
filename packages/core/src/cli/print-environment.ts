import { describeEnvironment } from '../environment.js';
import { formatBytes } from '../format.js';
import type { CliContext } from './definition.js';

/** What {@link printEnvironment} says beside versions and machine. */
export interface FurtherFacts {
  /** Lines behind those of the machine, e.g. `['backend', 'wasm']`. */
  readonly lines?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Fields beside those of the machine under `--json`. */
  readonly json?: Readonly<Record<string, unknown>> | undefined;
}

const shortest = 14;

/**
 * Prints versions and machine, for `check --env` and bug reports: a name and a value a line, or
 * `environment` under `--json`.
 *
 * @param packages - versions by name of package.
 */
export function printEnvironment(
  context: Pick<CliContext, 'print' | 'printJson'>,
  packages: Readonly<Record<string, string>>,
  { lines = [], json = {} }: FurtherFacts = {},
): void {
  const machine = describeEnvironment();
  const environment = { ...packages, ...machine, ...json };
  context.printJson({ run: null, status: 'success', metrics: null, environment });
  const { memoryBytes, ...plain } = machine;
  const facts = Object.entries({ ...packages, ...plain, memory: formatBytes(memoryBytes) });
  const all = [...facts, ...lines];
  const width = Math.max(shortest, ...all.map(([name]) => name.length));
  for (const [name, value] of all) context.print(`${name.padEnd(width)} ${String(value)}\n`);
}
