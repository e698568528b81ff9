import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, createRun, DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readPromptSettings, requestOf } from './run-options.js';

const dir = temporaryFolder();
const file = (name: string, content: string) => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};
const prompt = file('prompt.md', 'About {{text}}\n');
const flags = {
  ...{ data: 'rows.jsonl', prompt, baseUrl: 'http://me:secret@host/v1/?key=k', model: 'm' },
  ...{ out: 'run' },
};

describe('readPromptSettings', () => {
  it('has defaults for all but rows, prompt, server, model and folder', () => {
    const settings = readPromptSettings(flags, {});
    expect(settings).toMatchObject({
      ...{ idField: 'id', cacheMode: 'read-write', isResumed: false, shard: undefined },
      sampling: { temperature: 0, topP: 1, maxTokens: 1024 },
      cacheDir: join('.lab-cache', 'llm'),
    });
    for (const name of Object.keys(flags)) {
      expect(() => readPromptSettings({ ...flags, [name]: undefined }, {}), name).toThrow(
        ConfigError,
      );
    }
    expect(readPromptSettings(flags, { LAB_CACHE: '/c' }).cacheDir).toBe(join('/c', 'llm'));
    const env = { LAB_BASE_URL: 'http://other/v1' };
    expect(readPromptSettings({ ...flags, baseUrl: undefined }, env).baseUrl).toBe(
      'http://other/v1',
    );
  });

  it('takes several servers, and what is to be known of waiting', () => {
    const baseUrl = ['http://a:secret@one/v1', 'http://two/v1'];
    const settings = readPromptSettings({ ...flags, baseUrl, timeout: 5, refusalRetries: 2 }, {});
    expect(settings).toMatchObject({
      ...{ baseUrl: 'http://a:secret@one/v1', replicas: ['http://two/v1'] },
      config: { server: 'http://one/v1' },
      passed: { baseUrl: ['http://one/v1', 'http://two/v1'], timeout: 5, refusalRetries: 2 },
      server: { isStreamed: false, timeouts: { totalMs: 5000 }, retries: { refusalRetries: 2 } },
    });
    expect(settings.server.timeouts?.idleMs).toBeUndefined();
    for (const wrong of [{ timeout: -1 }, { maxAttempts: 0 }, { baseUrl: ['http://one/v1', ''] }]) {
      expect(() => readPromptSettings({ ...flags, ...wrong }, {})).toThrow(ConfigError);
    }
  });

  it('has a queue only with the cache, and records no address of it', () => {
    const queue = 'redis://user:secret@host:6379';
    const settings = readPromptSettings({ ...flags, queue, queueRate: '10/s' }, {});
    expect(settings).toMatchObject({ queue, queueRate: { requests: 10, milliseconds: 1000 } });
    expect(JSON.stringify([settings.passed, settings.config])).not.toContain('redis');
    expect(() => readPromptSettings({ ...flags, queue, cache: 'off' }, {})).toThrow(
      'needs the cache',
    );
    expect(() => readPromptSettings({ ...flags, queueRate: '10/s' }, {})).toThrow('no --queue');
  });

  it('takes the key from the environment or a file, and records no secret', () => {
    const env = { LAB_API_KEY: 'sk-environment', OPENAI_API_KEY: 'sk-other' };
    expect(readPromptSettings(flags, env).apiKey).toBe('sk-environment');
    expect(readPromptSettings(flags, { OPENAI_API_KEY: 'sk-other' }).apiKey).toBe('sk-other');
    const apiKeyFile = file('key', 'sk-file\n');
    const settings = readPromptSettings({ ...flags, apiKeyFile }, env);
    expect(settings.apiKey).toBe('sk-file');
    const recorded = JSON.stringify([settings.config, settings.passed]);
    expect(recorded).not.toMatch(/secret|key=k|sk-/);
    expect(recorded).toContain('http://host/v1');
  });

  it('goes on with the settings of a run, but for those that are given', () => {
    const { passed, config } = readPromptSettings({ ...flags, temperature: 0.5, maxCalls: 9 }, {});
    const made = { method: 'llm', label: 'm', seed: 0, command: [], config, passed };
    const run = createRun({ parent: dir, dir: join(dir, 'whole'), ...made });
    run.release();
    const settings = readPromptSettings({ resume: run.dir, maxCalls: 20 }, {});
    expect(settings).toMatchObject({
      ...{ out: run.dir, isResumed: true, model: 'm', budget: { maxCalls: 20 } },
      sampling: { temperature: 0.5 },
    });
    const shard = { index: 1, count: 3 };
    const part = createRun({
      ...{ parent: dir, dir: join(dir, 'parts', '1-of-3'), ...made },
      config: { ...config, shard },
    });
    part.release();
    expect(readPromptSettings({ resume: part.dir }, {})).toMatchObject({
      out: join(dir, 'parts'),
      shard,
    });
  });

  it('refuses values that make no sense', () => {
    const wrong: Record<string, unknown>[] = [
      { concurrency: 0 },
      { budgetUsd: 0 },
      { cache: 'always' },
      { extra: '[1]' },
      { extra: '{' },
      { shard: '3/3' },
      { maxErrors: 'few' },
    ];
    for (const flag of wrong) {
      expect(() => readPromptSettings({ ...flags, ...flag }, {}), JSON.stringify(flag)).toThrow(
        ConfigError,
      );
    }
    const schema = file('schema.json', '{"type":');
    expect(() => readPromptSettings({ ...flags, schema }, {})).toThrow(DataError);
    expect(() => readPromptSettings({ ...flags, schema: join(dir, 'none') }, {})).toThrow(
      'no such file',
    );
  });
});

describe('requestOf', () => {
  it('fills prompt and system message', () => {
    const system = file('system.md', 'You know {{topic}}.');
    const settings = readPromptSettings(
      { ...flags, system, stop: ['\n'], extra: '{"top_k":5}' },
      {},
    );
    expect(requestOf({ id: 'a', text: 'ice', topic: 'water' }, settings)).toEqual({
      messages: [
        { role: 'system', content: 'You know water.' },
        { role: 'user', content: 'About ice' },
      ],
      ...{ temperature: 0, topP: 1, maxTokens: 1024, stop: ['\n'], extra: { top_k: 5 } },
    });
  });

  it('reads a JSON schema', () => {
    const text = JSON.stringify({
      type: 'object',
      properties: { verdict: { enum: ['yes', 'no'] } },
      required: ['verdict'],
      additionalProperties: false,
    });
    const { schema } = readPromptSettings({ ...flags, schema: file('s.json', text) }, {});
    expect(schema?.safeParse({ verdict: 'yes' }).success).toBe(true);
    expect(schema?.safeParse({ verdict: 'maybe' }).success).toBe(false);
  });
});
