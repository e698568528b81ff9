/**
 * The texts of `transformer cache`, in and out.
 */
import { ConfigError } from '@lab/core';
import type { CliInput } from '@lab/core/cli';
import type { WritableArray } from '@lab/tensor/io';
import type { IdRows } from '../token-batch.js';
import { loadTokenizer } from '../tokenizer.js';
import { type IdFile, readDecoderIds, readIdFile } from './id-file.js';
import { readPrompts } from './prompt-file.js';

/** Token ids and which of them count. */
export interface CacheTexts {
  readonly ids: IdRows;
  readonly mask: IdRows;
  /** Of the decoder of a T5, where a file of ids has them. */
  readonly decoderIds?: IdRows | undefined;
}

/** The texts of a decoder that the flags name: prompts, or a file of ids. */
export const textsOf = (input: CliInput, folder: string): Promise<CacheTexts> =>
  readTexts(input, folder, readDecoderIds);

/** As {@link textsOf}, of a T5. */
export const t5TextsOf = (input: CliInput, folder: string): Promise<CacheTexts> =>
  readTexts(input, folder, readIdFile);

async function readTexts(
  { options }: CliInput,
  folder: string,
  readIds: (path: string) => IdFile,
): Promise<CacheTexts> {
  const [prompts, file] = [options['prompts'], options['ids']];
  if (typeof prompts === 'string' && file === undefined) {
    const { ids, mask } = await readPrompts(prompts, loadTokenizer(folder));
    return { ids, mask };
  }
  if (typeof file !== 'string' || prompts !== undefined) {
    throw new ConfigError('transformer/cache: give either --prompts or --ids.', {
      help: 'transformer cache --help shows an example.',
    });
  }
  const { ids, mask, ...more } = readIds(file);
  return { ids, mask: mask ?? ids.map((row) => Array.from(row, () => 1)), ...more };
}

/** The texts as arrays beside the values. */
export function textArrays(texts: CacheTexts): Record<string, WritableArray> {
  const arrayOf = (rows: IdRows, values: (flat: number[]) => Int32Array | Uint8Array) => ({
    shape: [rows.length, rows[0]!.length],
    data: values(rows.flatMap((row) => Array.from(row))),
  });
  const idsOf = (rows: IdRows) => arrayOf(rows, (flat) => Int32Array.from(flat));
  const { ids, mask, decoderIds } = texts;
  return {
    ids: idsOf(ids),
    mask: arrayOf(mask, (flat) => Uint8Array.from(flat)),
    ...(decoderIds && { decoderIds: idsOf(decoderIds) }),
  };
}
