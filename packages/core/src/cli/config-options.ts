import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import {
  type ConfigDefinition,
  explainConfig,
  type ResolvedConfig,
  resolveConfig,
} from '../config.js';
import { configLeaves } from '../config-schema.js';
import { showValue } from '../config-values.js';
import { ConfigError } from '../errors.js';
import { describeFileProblem } from '../file-problem.js';
import type { CliOption } from './definition.js';
import { table } from './text-table.js';

/** Loaded with the first file: 70 modules, and most commands are given none. */
const loadYaml = () => createRequire(import.meta.url)('yaml') as typeof Yaml;

/** The flags of every command that takes a config: preset, mode, config file, set, seed. */
export function configOptions<C>(definition: ConfigDefinition<C>): CliOption[] {
  const topic = 'settings';
  const presets = Object.keys(definition.presets);
  const seed: CliOption = {
    flags: '--seed <n>',
    summary: 'seed of all randomness',
    topic,
    kind: 'integer',
    ...seedDefault(definition),
  };
  const preset: CliOption = {
    flags: '--preset <name>',
    summary: `settings for a data set: ${presets.join(', ')}`,
    topic,
    ...(definition.defaultPreset === undefined
      ? {}
      : { unit: `default ${definition.defaultPreset}` }),
  };
  const mode: CliOption = {
    flags: '--mode <name>',
    summary: definition.modes.join(' or '),
    topic,
    unit: `default ${definition.defaultMode}`,
  };
  return [
    ...(presets.length === 0 ? [] : [preset]),
    ...(definition.modes.length < 2 ? [] : [mode]),
    { flags: '--config <file>', summary: 'settings from a JSON or YAML file', topic },
    {
      flags: '--set <path=value>',
      summary: `one setting, e.g. ${exampleSetting(definition)}`,
      topic,
      kind: 'repeated',
    },
    ...(seedPath(definition) === undefined ? [] : [seed]),
  ];
}

/** A setting of this definition: the learning rate where there is one. */
function exampleSetting<C>(definition: ConfigDefinition<C>): string {
  const paths = configLeaves(definition.schema).map((leaf) => leaf.path);
  const rate = paths.find((path) => /\.(lr|learningRate)$/.test(path));
  return rate === undefined ? `${paths.at(-1) ?? 'topic.option'}=VALUE` : `${rate}=1e-3`;
}

/** What the seed is without a flag, as a remark of the option. */
function seedDefault<C>(definition: ConfigDefinition<C>): Pick<CliOption, 'unit'> {
  const parsed = definition.schema.safeParse({});
  const names = seedPath(definition)?.split('.') ?? [];
  const value = names.reduce<unknown>(
    (at, name) => (at as Record<string, unknown> | undefined)?.[name],
    parsed.data,
  );
  return typeof value === 'number' ? { unit: `default ${value}` } : {};
}

function seedPath<C>(definition: ConfigDefinition<C>): string | undefined {
  const paths = configLeaves(definition.schema).map((leaf) => leaf.path);
  return paths.find((path) => path === 'seed') ?? paths.find((path) => path.endsWith('.seed'));
}

/**
 * The config that the flags of {@link configOptions} describe.
 *
 * @param options - the options of a command.
 * @param flags - values of further named flags by path, e.g. `{ 'training.epochs': 3 }`.
 * @throws {ConfigError} for a config file that cannot be read, and as `resolveConfig`.
 */
export async function readConfigInput<C>(
  definition: ConfigDefinition<C>,
  options: Readonly<Record<string, unknown>>,
  flags: Readonly<Record<string, unknown>> = {},
): Promise<ResolvedConfig<C>> {
  const name = textOf(options.config);
  const seed = seedPath(definition);
  return resolveConfig(definition, {
    preset: textOf(options.preset),
    mode: textOf(options.mode),
    ...(name === undefined ? {} : { file: { name, values: readConfigFile(name) } }),
    set: Array.isArray(options.set) ? options.set.map(String) : [],
    flags: { ...(seed === undefined ? {} : { [seed]: options.seed }), ...flags },
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * The values of a JSON or YAML file.
 *
 * @throws {ConfigError} when it cannot be read or is neither, with line and column.
 */
export function readConfigFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    const help = 'check the path given with --config.';
    throw new ConfigError(`config file ${describeFileProblem(path, cause)}`, { help, cause });
  }
  const { LineCounter, parseDocument } = loadYaml();
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const problem = document.errors[0];
  if (!problem) return document.toJS({ maxAliasCount: 100 }) as unknown;
  const { line, col } = lineCounter.linePos(problem.pos[0]);
  throw new ConfigError(`config file ${path} line ${line}, column ${col}: ${problem.message}.`, {
    help: 'the file must be JSON or YAML.',
    details: { file: path, line, column: col, text: text.split('\n')[line - 1] ?? '' },
    cause: problem,
  });
}

/** Every value with its origin and meaning as an aligned text, for `config --explain`. */
export function explainTable<C>(
  definition: ConfigDefinition<C>,
  resolved: ResolvedConfig<C>,
): string {
  const rows = explainConfig(definition, resolved).map((value) => ({
    option: value.path,
    value: showValue(value.value),
    origin: value.origin,
    meaning: value.description,
  }));
  return table(rows, ['option', 'value', 'origin', 'meaning']);
}
