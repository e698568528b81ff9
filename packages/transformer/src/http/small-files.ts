/**
 * The small files of a checkpoint behind a URL as copies in a folder.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, formatBytes, makeFolder, writeFileAtomic } from '@lab/core';
import { readJsonObject } from '../json-file.js';
import { INDEX } from '../weights/checkpoint.js';
import { discard, type HttpConnection, wholeBody } from './http-connection.js';
import { assertNoPage, httpProblem, isAbsent, shownUrl, statusProblem } from './http-problem.js';

const CONFIG = 'config.json';

/** What may lie beside config.json and the weights. */
const OTHERS = [
  ...['generation_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  ...['special_tokens_map.json', 'chat_template.jinja', INDEX],
];

/** Where the copies of a folder come from. */
const ORIGIN = 'origin.json';

const MOST_BYTES = 1 << 28;

const FOLDER_HELP =
  'Give the URL of a folder with config.json and *.safetensors; on Hugging Face ' +
  'https://huggingface.co/OWNER/NAME/resolve/main.';

/** The URL of a file in the folder that a URL names. */
export function fileUrl(base: URL, name: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${encodeURIComponent(name)}`;
  return url;
}

/**
 * Copies config.json, and of the tokenizer and other settings what is there, into a folder.
 *
 * @param folder - made where it is not there; one of copies from the same URL is written anew.
 * @returns statuses of the files that the server does not have, by their names.
 * @throws {ConfigError} for a folder that holds something else.
 * @throws {ModelError} where the server does not give config.json.
 */
export async function copySmallFiles(
  connection: HttpConnection,
  base: URL,
  folder: string,
): Promise<ReadonlyMap<string, number>> {
  takeFolder(folder, shownUrl(base));
  const absent = new Map<string, number>();
  const copy = async (name: string) => {
    const status = await copyFile(connection, fileUrl(base, name), join(folder, name));
    if (status !== null) absent.set(name, status);
    return status;
  };
  const status = await copy(CONFIG);
  if (status !== null) {
    throw statusProblem(fileUrl(base, CONFIG), status, status === 403 ? undefined : FOLDER_HELP);
  }
  await Promise.all(OTHERS.map(copy));
  return absent;
}

/** Copies a file; the status of one that is not there. */
async function copyFile(
  connection: HttpConnection,
  url: URL,
  path: string,
): Promise<number | null> {
  return connection.exchange({
    url,
    read: async (response) => {
      const { status } = response;
      if (isAbsent(status)) {
        await discard(response);
        return status;
      }
      if (status !== 200) throw statusProblem(url, status);
      assertNoPage(url, response);
      const bytes = await wholeBody(response, MOST_BYTES);
      if (bytes === null) {
        throw httpProblem(url, `is larger than ${formatBytes(MOST_BYTES)}`, { help: FOLDER_HELP });
      }
      writeFileAtomic(path, bytes);
      return null;
    },
  });
}

/** Makes a folder that of the copies from a URL. */
function takeFolder(folder: string, url: string): void {
  makeFolder(folder);
  const path = join(folder, ORIGIN);
  if (existsSync(path)) {
    const { url: own } = readJsonObject(path);
    if (own === url) return;
    throw new ConfigError(`${folder}: has copies from ${String(own)}, not from ${url}.`, {
      help: 'Name another folder; each checkpoint has its own.',
    });
  }
  if (readdirSync(folder).length > 0) {
    throw new ConfigError(`${folder}: is not empty, and its files are no copies from a URL.`, {
      help: 'Name a new folder; config.json and the tokenizer are copied into it.',
    });
  }
  writeFileAtomic(path, `${JSON.stringify({ url }, null, 2)}\n`);
}
