/**
 * Models that other programs have downloaded: the local Hugging Face cache.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder of the cache, where huggingface_hub has it: `HF_HUB_CACHE`, else `hub` in `HF_HOME`,
 * else in `~/.cache/huggingface`.
 */
export function hubCacheFolder(env: Environment = process.env): string {
  const own = env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'];
  if (own) return atHome(own);
  const caches = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(atHome(env['HF_HOME'] || join(caches, 'huggingface')), 'hub');
}

const atHome = (path: string) => path.replace(/^~(?=[/\\]|$)/, () => homedir());

/** Whether a text may be the name of a model, such as `gpt2` or `Qwen/Qwen3-0.6B`. */
export const isHubName = (name: string): boolean =>
  /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(name) && !name.includes('--');

/** The folder that the cache has of a model; null where it has none. */
export function cachedModel(name: string, cache = hubCacheFolder()): string | null {
  const folder = join(cache, `models--${name.replace('/', '--')}`);
  return isHubName(name) && existsSync(folder) ? folder : null;
}
