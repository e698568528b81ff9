/**
 * A checkpoint behind a URL: weights are read by range requests when they are used.
 */
import { join } from 'node:path';
import { checkOptions, ConfigError, type OptionFields, optionFields } from '@lab/core';
import {
  openSafetensorsSource,
  type SafetensorsFile,
  safetensorsPrefixBytes,
} from '@lab/tensor/io';
import { z } from 'zod';
import { type Checkpoint, checkpointOf, INDEX, readIndex, WHOLE } from '../weights/checkpoint.js';
import { HttpConnection, type HttpOptions } from './http-connection.js';
import { httpProblem, statusProblem } from './http-problem.js';
import { openHttpSource } from './http-source.js';
import { copySmallFiles, fileUrl } from './small-files.js';

/** How {@link openHttpCheckpoint} reaches a checkpoint. */
export interface HttpCheckpointOptions extends HttpOptions {
  /**
   * Gets copies of config.json, the tokenizer's files and the index; new, empty, or of copies from
   * the same URL.
   */
  readonly folder: string;
}

const callSchema = z.strictObject({
  url: optionFields.path,
  folder: optionFields.path,
  fetch: optionFields.callback.refine((value) => value !== undefined, 'must be a function'),
  headers: z.record(z.string(), z.string()).optional(),
  signal: optionFields.signal,
  sleep: optionFields.callback,
} satisfies OptionFields<HttpCheckpointOptions & { url: string }>);

/**
 * Opens a Hugging Face checkpoint on a file server: `loadModel` and `loadT5` take it in the place
 * of a path, `loadTokenizer` and `readModelConfig` its `folder`.
 *
 * Headers of the weights are read at once, by two requests a file; blocks and rows of embeddings
 * when they are used, neighbours by one request. Six requests are under way at most; what the
 * server cannot answer for now, or what breaks off, is asked for up to five times. A content that
 * changes between requests is an error.
 *
 * @param url - of the folder with config.json, such as
 *   `https://huggingface.co/OWNER/NAME/resolve/main`.
 * @throws {ConfigError} for a URL that is none, or a folder that holds something else.
 * @throws {ModelError} where the server does not give a file, naming it, its status and what to do,
 *   or has no range support. Later reads throw the same.
 * @throws {DataError} for weights whose header is damaged, as for local files.
 */
export async function openHttpCheckpoint(
  url: string,
  options: HttpCheckpointOptions,
): Promise<Checkpoint> {
  checkOptions('transformer/openHttpCheckpoint', { ...options, url }, callSchema);
  const base = folderUrl(url);
  const { folder } = options;
  const connection = new HttpConnection(options);
  try {
    const absent = await copySmallFiles(connection, base, folder);
    const one = await openWeights(connection, fileUrl(base, WHOLE));
    // As of a folder: an index beside the one file is of another conversion.
    const all = 'absent' in one ? null : checkpointOf(folder, new Map([[WHOLE, one]]), {});
    if ('absent' in one && absent.has(INDEX)) throw noWeights(base, one.absent, absent.get(INDEX)!);
    const checkpoint = all ?? (await openShards(connection, base, folder));
    return { ...checkpoint, close: () => connection.close() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function openWeights(connection: HttpConnection, url: URL) {
  const source = await openHttpSource(connection, url, safetensorsPrefixBytes);
  return 'absent' in source ? source : openSafetensorsSource(source);
}

async function openShards(
  connection: HttpConnection,
  base: URL,
  folder: string,
): Promise<Checkpoint> {
  const { names, shards } = readIndex(join(folder, INDEX));
  const open = async (name: string): Promise<[string, SafetensorsFile]> => {
    const url = fileUrl(base, name);
    const file = await openWeights(connection, url);
    if ('absent' in file) {
      throw statusProblem(url, file.absent, `${INDEX} names it: put it beside the others.`);
    }
    return [name, file];
  };
  return checkpointOf(folder, new Map(await Promise.all(names.map(open))), shards);
}

function noWeights(base: URL, whole: number, index: number) {
  const isRefused = whole === 403 || index === 403;
  const what = `has no ${WHOLE} (status ${whole}) and no ${INDEX} (status ${index})`;
  const hint = isRefused ? '; 403 may ask for headers of somebody who may read them' : '';
  return httpProblem(base, what, { help: `Only safetensors are read from a URL${hint}.` });
}

function folderUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`${text}: is no URL of http or https.`, {
      help: 'Give the URL of a folder with config.json; local folders need no fetch.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${url.host}: the URL holds a name or a password.`, {
      help: 'Give them in headers, such as { authorization: ... }.',
    });
  }
  if (/\.(safetensors|json|gguf|bin)$/.test(url.pathname)) {
    throw new ConfigError(`${url.origin}${url.pathname}: is the URL of a file.`, {
      help: 'Give that of its folder, which has config.json, too.',
    });
  }
  url.hash = '';
  return url;
}
