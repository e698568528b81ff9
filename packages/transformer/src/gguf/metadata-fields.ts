/**
 * Metadata of a GGUF file as fields with checks, as those of config.json.
 */
import { DataError } from '@lab/core';
import { ConfigFields } from '../config-fields.js';
import type { GgufContent } from './gguf-file.js';
import type { MetadataArray, MetadataValue } from './metadata-values.js';

/** Longer arrays are no field of a model. */
const MOST_LISTED = 65_536;

const HELP = 'Convert the model again with a present llama.cpp.';

/**
 * Fields whose keys begin with a prefix, by the rest of their keys; long arrays are left out.
 *
 * @param prefix - with its dot.
 */
export function metadataFields(
  { path, metadata }: Pick<GgufContent, 'metadata' | 'path'>,
  prefix: string,
): ConfigFields {
  const values: Record<string, unknown> = {};
  for (const [key, value] of metadata) {
    if (!key.startsWith(prefix)) continue;
    if (isArray(value) && value.values.length > MOST_LISTED) continue;
    Object.defineProperty(values, key.slice(prefix.length), {
      ...{ value: plainValue(value), enumerable: true },
    });
  }
  return new ConfigFields(values, path, { path: prefix, help: HELP });
}

const isArray = (value: MetadataValue): value is MetadataArray => 'values' in value;

function plainValue(value: MetadataValue): unknown {
  switch (value.type) {
    case 'numbers':
      return Array.from(value.values, (one: bigint | number) => plainNumber(value.of, one));
    case 'bools':
    case 'texts':
      return value.values;
    case 'arrays':
      return value.values.map(plainValue);
    case 'bool':
    case 'text':
      return value.value;
    default:
      return plainNumber(value.type, value.value);
  }
}

function plainNumber(type: string, value: bigint | number): number | string {
  if (typeof value === 'number') return type === 'float32' ? shortNumber(value) : value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** The number with the fewest digits that is this one in float32: 0.00001 for 9.99999975e-6. */
export function shortNumber(value: number): number {
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** A list of texts of the metadata, or null where there is none. */
export function textsOf({ path, metadata }: GgufContent, key: string): readonly string[] | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  if (value.type === 'texts') return value.values;
  throw wrongType(path, key, 'texts');
}

/** A list of numbers of the metadata, or null where there is none. */
export function numbersOf({ path, metadata }: GgufContent, key: string): ArrayLike<number> | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  if (value.type === 'numbers' && value.of !== 'int64' && value.of !== 'uint64') {
    return value.values as ArrayLike<number>;
  }
  throw wrongType(path, key, 'numbers');
}

const wrongType = (path: string, key: string, what: string) =>
  new DataError(`${path}: ${key} must be a list of ${what}.`, { file: path, help: HELP });
