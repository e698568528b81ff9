import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeRandomCheckpoint } from '../../src/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const golden = join(root, 'test/golden');
const checkpoint = (name: string) => join(golden, 'checkpoints', name);
const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

const transformer = (...args: string[]) =>
  runProcess(process.execPath, [join(root, 'bin/transformer.js'), ...args], {
    cwd: temporaryFolder(),
    env: { ...plain, LAB_TENSOR_HOME: '/none' },
  });

function file(name: string, content: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

interface Text {
  readonly ids: number[];
  readonly new: number[];
}

const texts = (name: string) =>
  (
    JSON.parse(readFileSync(join(golden, 'generation.json'), 'utf8')) as Record<
      string,
      { readonly texts: Text[] }
    >
  )[name]!.texts;

let talking: string;

beforeAll(async () => {
  talking = temporaryFolder();
  await writeRandomCheckpoint(talking, {
    ...{ model_type: 'llama', vocab_size: 506, hidden_size: 32, intermediate_size: 64 },
    ...{ num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
  });
  cpSync(join(golden, 'tokenizers/llama3'), talking, { recursive: true });
});

describe('transformer generate', () => {
  it.each(['llama3', 'mistral'])('--ids prints what transformers gives, of %s', async (name) => {
    const [text] = texts(name);
    const ids = file('ids.json', { ids: [text!.ids] });
    const args = ['--max-new-tokens', String(text!.new.length), '--greedy', '--ignore-eos'];
    const found = await transformer('generate', checkpoint(name), '--ids', ids, ...args);
    expect(found.code, found.stderr).toBe(0);
    expect(JSON.parse(found.stdout)).toEqual({ ids: [[...text!.ids, ...text!.new]] });
    expect(found.stderr).toMatch(/24 tokens in .* a second; end: length/);
  });

  it('writes the text of a prompt and of a conversation, up to a stop text', async () => {
    const args = ['generate', talking, '--max-new-tokens', '30'];
    const { code, stdout, stderr } = await transformer(...args, '--prompt', 'Hello there');
    expect(code, stderr).toBe(0);
    const text = stdout.slice(0, -1);
    expect(text.length).toBeGreaterThan(10);
    const stop = text.slice(8, 13).trim();
    const stopped = await transformer(...args, '--prompt', 'Hello there', '--stop', stop);
    expect(stopped.stdout).toBe(`${text.slice(0, text.indexOf(stop))}\n`);
    expect(stopped.stderr).toContain('end: stop');
    const chat = file('chat.json', [{ role: 'user', content: 'How are you?' }]);
    const answered = await transformer(...args, '--chat', chat, '--json');
    const [answer] = JSON.parse(answered.stdout).continuations;
    expect(answer.text.length).toBeGreaterThan(10);
    expect(answer.usage.promptTokens).toBeGreaterThan(10);
    const wrong = await transformer(...args, '--chat', file('chat.json', { role: 'user' }));
    expect(wrong.stderr).toContain('is no list of messages');
  });

  it('takes padding away, draws by its seed, and tells all with --json', async () => {
    const ids = file('ids.json', {
      ids: [
        [0, 0, 5, 9],
        [7, 2, 61, 8],
      ],
      mask: [
        [0, 0, 1, 1],
        [1, 1, 1, 1],
      ],
    });
    const args = ['generate', checkpoint('gpt2'), '--ids', ids, '--json', '--max-new-tokens', '9'];
    const drawn = (seed: string) =>
      transformer(...args, '--ignore-eos', '--temperature', '1.5', '--seed', seed);
    const [first, again, other] = [await drawn('1'), await drawn('1'), await drawn('2')];
    const result = JSON.parse(first.stdout);
    expect(result).toMatchObject({ status: 'success', continuations: [{}, {}] });
    expect(result.ids.map((row: number[]) => row.length)).toEqual([11, 13]);
    expect(result.continuations[0]).toMatchObject({
      ...{ finishReason: 'length', stoppedBy: null },
      usage: { promptTokens: 2, newTokens: 9 },
    });
    expect(JSON.parse(again.stdout).ids).toEqual(result.ids);
    expect(JSON.parse(other.stdout).ids).not.toEqual(result.ids);
  });

  it('says what streamed weights cost, and changes passes', async () => {
    const ids = file('ids.json', { ids: [[5, 9, 3]] });
    const changes = file('changes.json', [
      { kind: 'scale', site: 'blocks.2.hook_resid_post', value: -1, steps: [1] },
    ]);
    const args = ['generate', checkpoint('llama3'), '--ids', ids, '--ignore-eos'];
    const before = await transformer(...args, '--max-new-tokens', '6', '--stream');
    expect(before.code, before.stderr).toBe(0);
    expect(before.stderr).toContain('weights are read from the files again for every new token');
    const after = await transformer(...args, '--max-new-tokens', '6', '--interventions', changes);
    const rowOf = (text: string) => (JSON.parse(text) as { ids: number[][] }).ids[0]!;
    expect(rowOf(after.stdout).slice(0, 4)).toEqual(rowOf(before.stdout).slice(0, 4));
    expect(rowOf(after.stdout)).not.toEqual(rowOf(before.stdout));
  });

  it('writes what a T5 writes, with beams', async () => {
    const [text] = texts('t5');
    const ids = file('ids.json', { ids: [text!.ids] });
    const args = ['generate', checkpoint('t5'), '--ids', ids, '--max-new-tokens', '24'];
    const greedy = await transformer(...args, '--ignore-eos');
    expect(greedy.code, greedy.stderr).toBe(0);
    expect(JSON.parse(greedy.stdout)).toEqual({ ids: [text!.new] });
    const searched = await transformer(...args, '--beams', '3', '--json');
    expect(JSON.parse(searched.stdout).continuations[0].beams).toHaveLength(3);
  });

  it.each([
    ['no prompt', [], 'give one of --prompt, --chat and --ids'],
    ['a text without a tokenizer', ['--prompt', 'a'], 'has no tokenizer.json'],
    ['--greedy with a temperature', ['--greedy', '--temperature', '1'], '--greedy draws nothing'],
    ['beams of a decoder', ['--prompt', 'a', '--beams', '2'], '--beams is for a T5'],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await transformer('generate', checkpoint('gpt2'), ...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
  });
});
