import { readdirSync } from 'node:fs';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptCapabilities } from '../../src/index.js';
import { probeServer } from '../../src/probe.js';
import { type FakeScript, type FakeServer, startFakeServer } from '../../src/testing.js';
import { llm } from './llm-process.js';

let server: FakeServer;

beforeAll(async () => {
  server = await startFakeServer();
});
afterAll(() => server.close());

const capable: FakeScript = {
  tokenize: true,
  rules: [{ do: 'recall', pattern: 'zebra-[0-9]+', when: { contains: 'zebra' } }],
};

const probe = (script: FakeScript) => {
  server.useScript(script);
  return probeServer({ baseUrl: server.url, model: 'fake-model' });
};

describe('probeServer', () => {
  it('finds what a server can do', async () => {
    const { capabilities, findings, servedModel } = await probe(capable);
    expect(servedModel).toBe('fake-model');
    expect(capabilities).toEqual({
      ...{ structured: 'json-schema', topLogprobs: 20, tokenize: 'vllm' },
      ...{ embeddingWidth: 64, contextTokens: 32_768 },
    });
    expect(findings.map(({ state }) => state)).toEqual(Array(6).fill('yes'));
  });

  it('finds what it cannot', async () => {
    const { capabilities, findings } = await probe({
      rules: [
        ...[{ do: 'no-json-schema' } as const, { do: 'schema-ignored' } as const],
        ...[{ do: 'no-logprobs' } as const, { do: 'truncate', tokens: 4096 } as const],
        { do: 'status', status: 404, when: { endpoints: ['embeddings'] } },
        { do: 'text', text: 'Eight.' },
      ],
    });
    expect(capabilities).toMatchObject({
      ...{ structured: 'prompt', topLogprobs: 0, tokenize: 'none', embeddingWidth: 0 },
    });
    expect(findings.find((one) => one.probe === 'long prompt')).toMatchObject({
      ...{ state: 'no', note: '6,000 tokens: cut without saying so' },
    });
  });

  it('fails where there is no plain answer', async () => {
    const failing = probe({ rules: [{ do: 'status', status: 401 }] });
    await expect(failing).rejects.toMatchObject({ kind: 'auth' });
  });
});

describe('llm doctor', () => {
  const cache = temporaryFolder();
  const env = { LAB_CACHE: cache, LAB_API_KEY: 'sk-doctor-key-1' };
  const run = (...flags: string[]) => llm(flags, { env });

  it('prints a table and keeps what it found', async () => {
    server.useScript(capable);
    const { code, stdout, stderr } = await run('doctor', '--base-url', server.url);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(stdout).toContain(`fake-model at ${server.url}, window 32,768`);
    expect(
      stdout.split('\n').filter((line) => /^(plain|JSON|log|long|tok|emb)/.test(line)),
    ).toHaveLength(6);
    expect(readdirSync(`${cache}/llm-servers`)).toHaveLength(1);
    const options = { baseUrl: server.url, model: 'fake-model', folder: cache };
    const now = Date.now();
    expect(keptCapabilities({ ...options, date: now })).toMatchObject({ embeddingWidth: 64 });
    expect(keptCapabilities({ ...options, date: now + 86_400_001 })).toBeNull();
    expect(keptCapabilities({ ...options, model: 'other', date: now })).toBeNull();
  });

  it('prints JSON, and fails with the exit code of the cause', async () => {
    server.useScript(capable);
    const flags = ['doctor', '--base-url', server.url, '--model', 'fake-model'];
    const { stdout } = await run(...flags, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'success', model: 'fake-model' });
    server.useScript({ rules: [{ do: 'api-key', keys: ['sk-other'] }] });
    const refused = await run(...flags);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('401');
    expect(refused.stderr).not.toContain('sk-doctor-key-1');
    expect((await run('doctor')).code).toBe(2);
  });
});
