import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { programArguments } from './llm-process.js';

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

async function start(...args: string[]): Promise<Started> {
  const argv = [...programArguments(), 'fake-server', ...args];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: String(first).trim() };
}

async function ask(url: string, content: string): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  });
  const body = (await response.json()) as { choices: { message: { content: string } }[] };
  return body.choices[0]?.message.content ?? '';
}

describe('llm fake-server', () => {
  it('prints its URL, counts over a kill, and ends on Ctrl-C', async () => {
    const folder = temporaryFolder();
    const script = join(folder, 'script.json');
    writeFileSync(script, JSON.stringify({ rules: [{ do: 'echo' }] }));
    const args = ['--script', script, '--state', join(folder, 'state.txt')];
    const first = await start(...args);
    expect(await ask(first.url, 'hello')).toBe('hello');
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const second = await start(...args);
    expect(await ask(second.url, 'hello')).toBe('hello');
    const counters = await fetch(new URL('/fake/counters', second.url));
    expect(await counters.json()).toMatchObject({ received: 1, paid: 2, doublePaid: 1 });
    const ended = once(second.child, 'close');
    second.child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
  });

  it('says what is wrong with a script, exit 2 or 3', async () => {
    const folder = temporaryFolder();
    const script = join(folder, 'script.json');
    writeFileSync(script, '{"rules": [{"do": "text"}]}');
    const outcome = async (path: string): Promise<{ code: unknown; text: string }> => {
      const argv = [...programArguments(), 'fake-server', '--script', path];
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += String(chunk);
      });
      const [code] = (await once(child, 'close')) as [number];
      return { code, text };
    };
    const wrong = await outcome(script);
    expect(wrong.code).toBe(2);
    expect(wrong.text).toContain('rules.0.text');
    const absent = await outcome(join(folder, 'absent.json'));
    expect(absent.code).toBe(3);
    expect(absent.text).toContain('no script can be read');
  });
});
