import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, post, until, writeSmallModel } from './serve-setup.js';
import { programArguments, transformerHere } from './transformer-process.js';

const folder = writeSmallModel({ endId: 100_000 });
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts the program. */
async function transformer(args: readonly string[], env: Record<string, string> = {}) {
  const all = [...programArguments(), 'serve', await folder, ...args];
  const child = spawn(process.execPath, all, {
    env: { ...process.env, LAB_TENSOR_HOME: '/none', NO_COLOR: '1', ...env },
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number);
  return { child, said, ended };
}

/** Starts the program and waits for its first line. */
async function served(args: readonly string[] = [], env: Record<string, string> = {}) {
  const started = await transformer(['--port', '0', '--backend', 'wasm', ...args], env);
  await until(() => started.said.stdout.includes('\n') || started.child.exitCode !== null);
  return { ...started, url: started.said.stdout.split('\n')[0]! };
}

describe('transformer serve', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('says its address, answers, and ends at %s with %i', async (signal, code) => {
    const { child, said, ended, url } = await served([
      '--max-rows',
      '2',
      '--grace',
      '600',
      '--debug',
    ]);
    expect(url, said.stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const answer = await post(`${url}/chat/completions`, ask('my secret text', { max_tokens: 2 }));
    expect([answer.status, answer.body.model]).toEqual([200, 'small']);
    const running = post(`${url}/chat/completions`, ask('Last', { max_tokens: 900 }));
    await until(() => said.stderr.includes('completions 200'));
    const health = async () => (await fetch(url.replace('/v1', '/health'))).json();
    while (((await health()) as { running: number }).running === 0);
    child.kill(signal);
    expect((await running).body.usage['completion_tokens']).toBe(900);
    expect(await ended).toBe(code);
    expect(said.stdout).toBe(`${url}\n`);
    expect(said.stderr).toContain('small: prompts and answers of 1,024 tokens, 2 at once');
    expect(said.stderr).not.toContain('secret');
  });

  it('takes a name, a key, a limit of memory, and says all as JSON', async () => {
    const args = ['--served-name', 'lab/tiny', '--api-key-env', 'SERVE_KEY', '--memory', '1MB'];
    const { child, said, ended } = await served([...args, '--json', '--threads', '1'], {
      SERVE_KEY: 'key-1',
    });
    const { url, port, model } = JSON.parse(said.stdout) as Record<string, string>;
    expect([url, model]).toEqual([`http://127.0.0.1:${port}/v1`, 'lab/tiny']);
    const headers = { authorization: 'Bearer key-1', 'content-type': 'application/json' };
    const one = await fetch(`${url}/models/${encodeURIComponent('lab/tiny')}`, { headers });
    expect(one.status).toBe(200);
    const body = ask('Hello', { max_tokens: 2 });
    expect((await post(`${url}/chat/completions`, body)).status).toBe(401);
    expect((await post(`${url}/chat/completions`, body, { headers })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
  });

  it('warns where others can reach it', async () => {
    const { child, said, ended } = await served(['--host', '0.0.0.0']);
    expect(said.stderr).toMatch(
      /^warning: 0\.0\.0\.0 is no loopback address, and there is no auth/m,
    );
    child.kill('SIGTERM');
    await ended;
  });

  it.each([
    ['a key that is not there', ['--api-key-env', 'NO_SUCH_KEY'], 2, /no such variable/],
    ['no port', ['--port', '70000'], 2, /expected 0 to 65535/],
    ['memory that is no number', ['--memory', 'much'], 2, /--memory much is no number/],
    ['no rows', ['--max-rows', '0', '--port', '0'], 2, /maxRows is 0/],
    ['another format', ['--chat-format', 'chatml'], 2, /--chat-format/],
    ['less than no time', ['--grace', '-1'], 2, /--grace is -1/],
  ] as const)('ends over %s', async (_, args, code, message) => {
    const said = await transformerHere('serve', await folder, ...args);
    expect(said.code, said.stderr).toBe(code);
    expect(said.stderr).toMatch(message);
    expect(said.stdout).toBe('');
  });

  it('ends over a port that is taken', async () => {
    const { url } = await served();
    const { said, ended } = await transformer(['--port', new URL(url).port]);
    expect(await ended).toBe(4);
    expect(said.stderr).toContain('EADDRINUSE');
  });
});
