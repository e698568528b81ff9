/**
 * Where a checkpoint is: a folder, a GGUF file, or what a name stands for.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, ModelError } from '@lab/core';
import { exampleModel } from '../example-models.js';
import { isGgufFile } from '../gguf/gguf-file.js';
import { isLaterPart } from '../gguf/split-files.js';
import { cachedModel, hubCacheFolder, isHubName } from './hub-cache.js';

/** Begin of the name of a shipped model, in the place of a folder. */
const EXAMPLE = 'example:';

/**
 * The folder of a checkpoint, or its GGUF file: as it is, the one GGUF file that a folder without
 * config.json has, what the local Hugging Face cache has under a name such as `org/name`, or in a
 * folder of it: its `refs/main`, else its newest snapshot; or a shipped model under `example:NAME`.
 *
 * @throws {ModelError} where there is none.
 * @throws {ConfigError} for what is no text.
 */
export function checkpointFolder(path: string): string {
  if (typeof path !== 'string') {
    throw new ConfigError(`transformer: the model is ${typeof path}, no path.`, {
      help: 'Name the folder of a checkpoint, or a file *.gguf.',
    });
  }
  if (!existsSync(path)) {
    if (path.startsWith(EXAMPLE)) return exampleModel(path.slice(EXAMPLE.length));
    const cached = cachedModel(path);
    if (cached !== null) return checkpointFolder(cached);
    throw absentModel(path);
  }
  if (isGgufFile(path)) return path;
  const snapshots = join(path, 'snapshots');
  if (existsSync(join(path, 'config.json'))) return path;
  if (!existsSync(snapshots)) return ggufFileIn(path) ?? path;
  const main = join(path, 'refs', 'main');
  const named = existsSync(main) ? join(snapshots, readFileSync(main, 'utf8').trim()) : null;
  if (named !== null && existsSync(named)) return checkpointFolder(named);
  const newest = readdirSync(snapshots)
    .map((name) => join(snapshots, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest !== undefined) return checkpointFolder(newest);
  throw new ModelError(`${path}: its snapshots are empty.`, {
    help: 'Download the model again; the cache holds nothing of it.',
  });
}

function absentModel(path: string): ModelError {
  const isName = isHubName(path);
  const cache = isName ? `, and the Hugging Face cache ${hubCacheFolder()} has no such model` : '';
  return new ModelError(`${path}: there is no such folder or file${cache}.`, {
    help:
      'Name a folder with config.json and *.safetensors, or a file *.gguf' +
      `${isName ? '; hf download fills the cache' : ''}.`,
  });
}

/** The one GGUF file of a folder, or the first of several of one model; null for none. */
function ggufFileIn(folder: string): string | null {
  const names = readdirSync(folder).filter((name) => name.endsWith('.gguf') && !isLaterPart(name));
  if (names.length <= 1) return names[0] === undefined ? null : join(folder, names[0]);
  throw new ModelError(
    `${folder}: has ${names.length} GGUF files: ${names.slice(0, 5).join(', ')}.`,
    {
      help: `Name one of them, such as ${join(folder, names[0]!)}.`,
    },
  );
}
