import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { loadTokenizer } from '../index.js';
import { exampleModel } from '../example-models.js';
import { checkpointFolder } from './checkpoint-folder.js';
import { hubCacheFolder, isHubName } from './hub-cache.js';

afterEach(() => vi.unstubAllEnvs());

/** A cache with one model of two snapshots, of which `refs/main` names the first. */
function cacheWith(name: string) {
  const home = temporaryFolder();
  const model = join(home, 'hub', `models--${name.replace('/', '--')}`);
  const main = join(model, 'snapshots', 'aaaa');
  cpSync(exampleModel('organism'), main, { recursive: true });
  mkdirSync(join(model, 'snapshots', 'bbbb'));
  mkdirSync(join(model, 'refs'));
  writeFileSync(join(model, 'refs', 'main'), 'aaaa\n');
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HUGGINGFACE_HUB_CACHE', '');
  vi.stubEnv('HF_HOME', home);
  return { home, main };
}

it.each(['acme/tiny-llama', 'tiny'])('%s is the main snapshot of the cache', (name) => {
  const { home, main } = cacheWith(name);
  expect(checkpointFolder(name)).toBe(main);
  expect(loadTokenizer(name).encode('Hello').length).toBeGreaterThan(0);
  vi.stubEnv('HF_HOME', '/nowhere');
  vi.stubEnv('HF_HUB_CACHE', join(home, 'hub'));
  expect(checkpointFolder(name)).toBe(main);
});

it('a name that is nowhere is refused with both places', () => {
  const { home } = cacheWith('acme/tiny-llama');
  const asked = () => checkpointFolder('acme/tiny-lama');
  expect(asked).toThrow(/acme\/tiny-lama: there is no such folder or file/);
  expect(asked).toThrow(`the Hugging Face cache ${join(home, 'hub')} has no such model`);
  expect(() => checkpointFolder('./acme/tiny')).not.toThrow(/cache/);
});

it('the cache is where huggingface_hub has it', () => {
  const at = (env: Record<string, string>) => hubCacheFolder(env);
  expect(at({})).toBe(join(homedir(), '.cache/huggingface/hub'));
  expect(at({ XDG_CACHE_HOME: '/x' })).toBe('/x/huggingface/hub');
  expect(at({ HF_HOME: '~/models', XDG_CACHE_HOME: '/x' })).toBe(join(homedir(), 'models/hub'));
  expect(at({ HF_HUB_CACHE: '/hub', HF_HOME: '/home' })).toBe('/hub');
});

it.each([
  ['gpt2', true],
  ['Qwen/Qwen3-0.6B', true],
  ['../gpt2', false],
  ['./gpt2', false],
  ['/models/gpt2', false],
  ['a/b/c', false],
  ['example:organism', false],
])('%s is a name: %s', (name, is) => {
  expect(isHubName(name)).toBe(is);
});
