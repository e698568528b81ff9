/** Flags that several verbs share. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, resolveConfig } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import type { OwnGraphFiles } from '@lab/graph';
import type { BackendChoice } from '@lab/tensor';
import type { AlignmentConfig } from '../config-fields.js';
import type { DataSource } from '../data.js';
import { namedExample } from '../example-data.js';
import type { AlignmentMethod } from '../method.js';

/** Names of `--backend`. */
export const backendNames = [
  'auto',
  'tensorflow-gpu',
  'tensorflow',
  'webgpu',
  'wasm',
  'cpu',
] as const satisfies readonly BackendChoice[];

/** `--backend` and `--threads`. */
export const backendOptions: readonly CliOption[] = [
  {
    flags: '--backend <name>',
    summary: 'what computes',
    topic: 'machine',
    choices: backendNames,
    unit: 'default auto',
  },
  {
    flags: '--threads <n>',
    summary: 'threads of the backend wasm; results do not depend on it',
    topic: 'machine',
    kind: 'integer',
    unit: 'default as many as processors may be used',
  },
];

/** `--epochs` of a training, with the epochs of each preset in the default mode. */
export function epochsOption<C extends AlignmentConfig>({
  config: definition,
}: Pick<AlignmentMethod<C>, 'config'>): CliOption {
  const epochsOf = Object.keys(definition.presets).map((preset) => {
    const { epochs } = resolveConfig(definition, { preset }).config.training;
    return preset === definition.defaultPreset ? `default ${epochs}` : `${preset} ${epochs}`;
  });
  return {
    flags: '--epochs <n>',
    summary: 'epochs to train',
    topic: 'settings',
    kind: 'integer',
    unit: epochsOf.join(', '),
  };
}

/** `--preset` with the method's default preset, for examples; nothing where there is none. */
export function presetFlag({ config }: Pick<AlignmentMethod, 'config'>): string {
  return config.defaultPreset === undefined ? '' : ` --preset ${config.defaultPreset}`;
}

/** Where the two graphs are. */
const dataOptions: readonly CliOption[] = [
  {
    flags: '--data <dir>',
    summary: 'folder with both graphs and their links; example:en-fr-3k is shipped',
    topic: 'data',
  },
  {
    flags: '--seeds <file>',
    summary: 'known pairs, two ids a line; auto:names pairs equal names',
    topic: 'data',
    unit: 'default a share of the links',
  },
  { flags: '--images <file>', summary: 'image vectors when not found by name', topic: 'data' },
];

/** The value of a text option, or undefined. */
export function textOption(options: Record<string, unknown>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Refuses a file whose folder is not there; `flag` is what names it. */
export function assertFolder(verb: string, flag: string, path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  throw new ConfigError(`${verb}: ${flag} ${path}: there is no folder ${folder}.`, {
    help: 'make the folder first, or give another file',
  });
}

/** Drops the entries whose value is undefined. */
export function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Two graphs of one's own. */
export const ownGraphOptions: readonly CliOption[] = [
  {
    flags: '--source <path>',
    summary: 'first graph: folder, CSV or TSV of triples, or N-Triples',
    topic: 'data',
  },
  { flags: '--target <path>', summary: 'second graph', topic: 'data' },
  { flags: '--links <file>', summary: 'known pairs: CSV, TSV or owl:sameAs', topic: 'data' },
  { flags: '--source-attributes <file>', summary: 'attributes of the first', topic: 'data' },
  { flags: '--target-attributes <file>', summary: 'attributes of the second', topic: 'data' },
  { flags: '--source-images <file>', summary: 'image vectors of the first', topic: 'data' },
  { flags: '--target-images <file>', summary: 'image vectors of the second', topic: 'data' },
  { flags: '--seeds <file>', summary: 'auto:names pairs equal names', topic: 'data' },
];

/** The own graphs that the flags name, or undefined. */
export function ownGraphs(options: Record<string, unknown>): OwnGraphFiles | undefined {
  const source = textOption(options, 'source');
  const target = textOption(options, 'target');
  if (source === undefined && target === undefined) return undefined;
  if (source === undefined || target === undefined) {
    const missing = source === undefined ? '--source' : '--target';
    throw new ConfigError(`${missing} is missing: only one graph was given.`, {
      help: 'give both graphs: --source PATH --target PATH',
    });
  }
  const links = textOption(options, 'links');
  if (links === undefined && options['seeds'] === undefined) {
    throw new ConfigError('no known pairs were given: training starts from some.', {
      help: 'give --links FILE, or --seeds auto:names to pair entities of equal names',
    });
  }
  return {
    source,
    target,
    links,
    sourceAttributes: textOption(options, 'sourceAttributes'),
    targetAttributes: textOption(options, 'targetAttributes'),
    sourceImages: textOption(options, 'sourceImages'),
    targetImages: textOption(options, 'targetImages'),
  };
}

/** The flags of verbs that take a folder or two graphs of one's own; `--seeds` stands once. */
export const sourceOptions: readonly CliOption[] = [
  ...dataOptions,
  ...ownGraphOptions.filter(({ flags }) => !flags.startsWith('--seeds')),
];

/** The data that the flags name, if any. */
export function dataSource(options: Record<string, unknown>): DataSource | undefined {
  const dir = textOption(options, 'data');
  const own = ownGraphs(options);
  if (dir === undefined && own === undefined) return undefined;
  const example = dir === undefined ? null : namedExample(dir);
  const seedsFile = textOption(options, 'seeds') ?? example?.seedsFile;
  const images = textOption(options, 'images');
  return given({ dir: example?.dir ?? dir, own, seedsFile, images });
}
