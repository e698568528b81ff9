/**
 * A model in several GGUF files: `NAME-00001-of-00003.gguf` and so on.
 *
 * Source: llama.cpp, `llama_split_path` (names) and `gguf-split` (keys).
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { DataError, ModelError } from '@lab/core';
import type { GgufHeader, GgufTensor } from './gguf-header.js';
import { metadataFields } from './metadata-fields.js';

const NAME = /-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/;

/** Whether a file is called as one of several that is not the first. */
export function isLaterPart(name: string): boolean {
  const number = NAME.exec(name)?.groups?.['number'];
  return number !== undefined && Number(number) !== 1;
}

/**
 * Paths of all files of the model that a file belongs to, the first one first; its own alone where
 * it holds a whole model.
 *
 * @throws {ModelError} where the file is not called as one of several, or others are not there.
 */
export function partPaths(path: string, { metadata }: Pick<GgufHeader, 'metadata'>): string[] {
  const count = splitFields(path, metadata).number('count', 1);
  if (count <= 1) return [path];
  const named = Number(NAME.exec(path)?.groups?.['count'] ?? 0);
  if (named !== count) {
    const last = String(count).padStart(5, '0');
    throw new ModelError(
      `${path}: is one of ${count} files of a model (split.count), and is not called so.`,
      { help: `Call it as it was: NAME-00001-of-${last}.gguf is the first.` },
    );
  }
  const digits = (value: number) => String(value).padStart(5, '0');
  const paths = Array.from({ length: count }, (_, at) =>
    path.replace(NAME, `-${digits(at + 1)}-of-${digits(count)}.gguf`),
  );
  const absent = paths.filter((one) => !existsSync(one)).map((one) => basename(one));
  if (absent.length === 0) return paths;
  throw new ModelError(
    `${path}: ${absent.length} of ${count} files of this model are not there: ` +
      `${absent.slice(0, 5).join(', ')}${absent.length > 5 ? ' ...' : ''}.`,
    { help: 'Copy or download them, too, into the same folder.' },
  );
}

/** One of the files of a model. */
export interface GgufPart extends GgufHeader {
  readonly path: string;
}

/** All tensors of the files of a model, with the number of the file that holds each. */
export type PartTensors = ReadonlyMap<string, { readonly tensor: GgufTensor; readonly at: number }>;

/**
 * The tensors of all files together.
 *
 * @throws {DataError} where a file is of another model, or stands in the place of another.
 */
export function tensorsOfParts(parts: readonly GgufPart[]): PartTensors {
  const joined = new Map<string, { readonly tensor: GgufTensor; readonly at: number }>();
  for (const [at, { path, metadata, tensors }] of parts.entries()) {
    if (parts.length > 1) {
      const fields = splitFields(path, metadata);
      assertSplit(path, 'split.count', fields.number('count', 1), parts.length);
      assertSplit(path, 'split.no', fields.number('no', -1), at);
    }
    for (const [name, tensor] of tensors) {
      if (joined.has(name)) throw wrongPart(path, `has tensor ${name}, as an earlier file has`);
      joined.set(name, { tensor, at });
    }
  }
  const [first] = parts;
  const wanted = splitFields(first!.path, first!.metadata).optionalNumber('tensors.count');
  if (parts.length > 1 && wanted !== null && wanted !== joined.size) {
    const found = `the ${parts.length} files have ${joined.size} tensors`;
    throw wrongPart(first!.path, `${found}, not ${wanted} (split.tensors.count)`);
  }
  return joined;
}

function assertSplit(path: string, key: string, found: number, wanted: number): void {
  if (found === wanted) return;
  throw wrongPart(path, `has ${key} ${found}, in this place it must be ${wanted}`);
}

const wrongPart = (path: string, problem: string) =>
  new DataError(`${path}: ${problem}.`, {
    file: path,
    help: 'Take all files of the same model, under the names that they had.',
  });

const splitFields = (path: string, metadata: GgufHeader['metadata']) =>
  metadataFields({ path, metadata }, 'split.');
