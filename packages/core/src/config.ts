import type { z } from 'zod';
import { invalidValues, nearestOption, unknownName } from './config-problem.js';
import { type ConfigLeaf, configLeaves } from './config-schema.js';
import { isPlainObject, parseSetValue, splitSet, unflatten } from './config-values.js';
import { ConfigError } from './errors.js';

/** Some fields of a config, at any depth. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

/** The settings for one data set. */
export interface Preset<C> {
  readonly description: string;
  readonly values: DeepPartial<C>;
  /** Values that hold in one mode only. */
  readonly modeValues?: Readonly<Record<string, DeepPartial<C>>> | undefined;
}

/** Everything a package says about its options. */
export interface ConfigDefinition<C> {
  /** Name of the method, e.g. `ibmea`. */
  readonly name: string;
  /** A `z.strictObject` of topics, two levels; every field has a default and a description. */
  readonly schema: z.ZodType<C>;
  readonly modes: readonly string[];
  readonly defaultMode: string;
  readonly modeValues: Readonly<Record<string, DeepPartial<C>>>;
  readonly presets: Readonly<Record<string, Preset<C>>>;
  readonly defaultPreset?: string | undefined;
}

/** What the user chose; see {@link resolveConfig}. */
export interface ConfigInput {
  readonly preset?: string | undefined;
  readonly mode?: string | undefined;
  /** The parsed config file; it may name `preset` and `mode` itself. */
  readonly file?: { readonly name: string; readonly values: unknown } | undefined;
  /** Entries `path=value`. */
  readonly set?: readonly string[] | undefined;
  /** Values of named flags by path; `undefined` is skipped. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
}

/** A checked config and where each value comes from. */
export interface ResolvedConfig<C> {
  readonly config: C;
  readonly mode: string;
  readonly preset: string | null;
  /** By path: `default`, `mode official`, `preset dbp15k`, `file x.yaml`, `--set`, `--seed`. */
  readonly origins: Record<string, string>;
}

/** One value of a config with its origin; see {@link explainConfig}. */
export interface ExplainedValue {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
  readonly description: string;
}

/**
 * The config that follows from defaults < mode < preset < the preset's values for the mode < file <
 * `--set` < named flags, checked by the schema, with the origin of every value.
 *
 * @throws {ConfigError} for unknown options, presets and modes (with the nearest name) and for
 *   values that the schema refuses (path, value, origin, what is allowed).
 */
export function resolveConfig<C>(
  definition: ConfigDefinition<C>,
  input: ConfigInput = {},
): ResolvedConfig<C> {
  const leaves = configLeaves(definition.schema);
  const file = readSelection(definition, leaves, input.file);
  const mode = input.mode ?? file.mode ?? definition.defaultMode;
  const preset = input.preset ?? file.preset ?? definition.defaultPreset ?? null;
  checkName('mode', mode, definition.modes);
  if (preset !== null) checkName('preset', preset, Object.keys(definition.presets));
  const layers = new Layers(definition.name, leaves);
  layers.addObject(definition.modeValues[mode], `mode ${mode}`);
  if (preset !== null) {
    layers.addObject(definition.presets[preset]?.values, `preset ${preset}`);
    layers.addObject(definition.presets[preset]?.modeValues?.[mode], `preset ${preset} ${mode}`);
  }
  layers.addObject(file.values, `file ${input.file?.name ?? ''}`);
  for (const entry of input.set ?? []) layers.addSet(entry);
  for (const [path, value] of Object.entries(input.flags ?? {})) {
    if (value !== undefined) layers.add(path, value, flagName(path));
  }
  return { config: layers.check(definition.schema), mode, preset, origins: layers.origins };
}

function checkName(kind: string, name: string, candidates: readonly string[]): void {
  if (!candidates.includes(name)) throw unknownName(kind, name, { candidates });
}

/** `training.batchSize` came from `--batch-size`. */
function flagName(path: string): string {
  const key = path.slice(path.lastIndexOf('.') + 1);
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

interface FileSelection {
  readonly values: Record<string, unknown>;
  readonly mode?: string;
  readonly preset?: string;
}

/** Splits `preset` and `mode` from the file's values, unless they are options of the schema. */
function readSelection<C>(
  definition: ConfigDefinition<C>,
  leaves: readonly ConfigLeaf[],
  file: ConfigInput['file'],
): FileSelection {
  if (!file || file.values === null || file.values === undefined) return { values: {} };
  if (!isPlainObject(file.values)) {
    throw new ConfigError(`config file ${file.name}: holds no options of ${definition.name}.`, {
      help: 'write topics with options, e.g. training: { epochs: 100 }.',
    });
  }
  const values = { ...file.values };
  const selection: { mode?: string; preset?: string } = {};
  for (const key of ['mode', 'preset'] as const) {
    const value = values[key];
    if (typeof value !== 'string' || leaves.some((leaf) => leaf.path === key)) continue;
    selection[key] = value;
    delete values[key];
  }
  return { values, ...selection };
}

/** Values of options, later layers over earlier ones. */
class Layers {
  readonly origins: Record<string, string> = {};
  readonly #values = new Map<string, unknown>();
  readonly #leaves: Map<string, ConfigLeaf>;
  readonly #name: string;

  constructor(name: string, leaves: readonly ConfigLeaf[]) {
    this.#name = name;
    this.#leaves = new Map(leaves.map((leaf) => [leaf.path, leaf]));
    for (const { path, schema } of leaves) {
      const parsed = parseWith(schema, undefined);
      if (parsed.success) this.#values.set(path, parsed.data);
      this.origins[path] = 'default';
    }
  }

  addObject(values: unknown, origin: string): void {
    if (values === undefined) return;
    for (const [path, value] of this.#flatten(values)) {
      if (value !== undefined) this.add(path, value, origin);
    }
  }

  addSet(entry: string): void {
    const { path, text } = splitSet(entry);
    const leaf = this.#leafOf(path, '--set');
    const value = parseSetValue(text);
    const isText = !parseWith(leaf.schema, value).success && parseWith(leaf.schema, text).success;
    this.add(path, isText ? text : value, '--set');
  }

  add(path: string, value: unknown, origin: string): void {
    this.#leafOf(path, origin);
    this.#values.set(path, value);
    this.origins[path] = origin;
  }

  check<C>(schema: z.ZodType<C>): C {
    const result = schema.safeParse(unflatten(this.#values));
    if (result.success) return result.data;
    throw invalidValues({
      name: this.#name,
      issues: result.error.issues,
      values: this.#values,
      origins: this.origins,
    });
  }

  /** Paths and values; objects that are the value of one option stay whole. */
  #flatten(values: unknown, prefix = ''): [string, unknown][] {
    if (!isPlainObject(values)) return [[prefix, values]];
    return Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      return this.#leaves.has(path) ? [[path, value]] : this.#flatten(value, path);
    });
  }

  #leafOf(path: string, origin: string): ConfigLeaf {
    const leaf = this.#leaves.get(path);
    if (leaf) return leaf;
    const options = [...this.#leaves.keys()];
    const topic = options.filter((option) => option.startsWith(`${path}.`));
    const close = nearestOption(path, options);
    const isTopic = topic.length > 0;
    throw new ConfigError(
      isTopic
        ? `${origin}: ${path} is a topic, not an option.`
        : `${origin}: unknown option ${JSON.stringify(path)} of ${this.#name}.`,
      { help: helpFor(isTopic ? topic : options, isTopic ? undefined : close) },
    );
  }
}

function helpFor(options: readonly string[], close: string | undefined): string {
  if (close !== undefined) return `did you mean ${close}?`;
  const list = options.join(', ');
  return `options are ${list.length > 300 ? `${list.slice(0, 297)}...` : list}.`;
}

type Parsed = { success: true; data: unknown } | { success: false };

function parseWith(schema: z.core.$ZodType, value: unknown): Parsed {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise || result.issues) return { success: false };
  return { success: true, data: result.value };
}

/**
 * Every value of a resolved config with its origin and description, in the order of the schema.
 */
export function explainConfig<C>(
  definition: ConfigDefinition<C>,
  resolved: ResolvedConfig<C>,
): ExplainedValue[] {
  return configLeaves(definition.schema).map(({ path, description }) => ({
    path,
    value: valueAt(resolved.config, path),
    origin: resolved.origins[path] ?? 'default',
    description,
  }));
}

function valueAt(config: unknown, path: string): unknown {
  let value = config;
  for (const key of path.split('.')) value = isPlainObject(value) ? value[key] : undefined;
  return value;
}
