import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeRandomCheckpoint } from '../../src/index.js';
import {
  packageFolder,
  programArguments,
  programEnv,
  transformer,
  transformerHere,
} from './transformer-process.js';

const golden = join(packageFolder, 'test/golden');
const checkpoint = (name: string) => join(golden, 'checkpoints', name);

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

interface Searched {
  readonly ids: number[];
  readonly stopIds: number[];
  readonly maxNewTokens: number;
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly beams: { readonly new: number[] }[];
}

/** Beams of transformers that end so. */
const searches = (name: string, when: Searched['earlyStopping']) =>
  (texts(name) as (Searched | Text)[]).filter(
    (one): one is Searched => 'beams' in one && one.earlyStopping === when,
  );

/** A checkpoint of the goldens whose texts end at some ids. */
function withEnds(name: string, ids: readonly number[]): string {
  const folder = join(temporaryFolder(), name);
  cpSync(checkpoint(name), folder, { recursive: true });
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: ids }));
  return folder;
}

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
    const wrong = await transformerHere(...args, '--chat', file('chat.json', { role: 'user' }));
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
    for (const { ids: own, stopIds, beams, ...one } of searches('t5', 'never').slice(0, 2)) {
      const flags = [
        ...['--max-new-tokens', one.maxNewTokens, '--beams', one.numBeams],
        ...['--length-penalty', one.lengthPenalty, '--early-stopping', one.earlyStopping],
      ].map(String);
      const folder = withEnds('t5', stopIds);
      const path = file('ids.json', { ids: [own] });
      const { stdout, stderr } = await transformer('generate', folder, '--ids', path, ...flags);
      expect(JSON.parse(stdout), stderr).toEqual({ ids: [beams[0]!.new] });
    }
  });

  it('keeps what it has written at Ctrl-C, and ends with 130', async () => {
    const args = ['generate', talking, '--prompt', 'Hello there', '--ignore-eos'];
    const short = await transformer(...args, '--max-new-tokens', '12');
    const begin = short.stdout.trim().slice(0, 8);
    const all = [...programArguments(), ...args, '--max-new-tokens', '2000'];
    const stopped = await runProcess(process.execPath, all, {
      ...{ cwd: temporaryFolder(), env: programEnv, send: [{ after: begin, signal: 'SIGINT' }] },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout.startsWith(begin)).toBe(true);
    expect(stopped.stdout.endsWith('\n')).toBe(true);
    expect(stopped.stderr).toContain('end: aborted');
  });

  it('ends where the model does, unless more is asked for', async () => {
    const ids = file('ids.json', { ids: [[5, 9, 3]] });
    const args = ['generate', checkpoint('llama'), '--ids', ids, '--ignore-eos'];
    const room = await transformerHere(...args);
    expect(JSON.parse(room.stdout).ids[0]).toHaveLength(64);
    const refused = await transformerHere(...args, '--max-new-tokens', '62');
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toContain('more than the 64 places of the model');
    const longer = await transformerHere(...args, '--max-new-tokens', '62', '--context', '65');
    expect(JSON.parse(longer.stdout).ids[0]).toHaveLength(65);
  });

  it('changes what a T5 writes', async () => {
    const [text] = texts('t5');
    const ids = file('ids.json', { ids: [text!.ids] });
    const changes = file('changes.json', [
      { kind: 'scale', site: 'z', attention: 'cross', layer: 0, value: -3 },
    ]);
    const args = ['generate', checkpoint('t5'), '--ids', ids, '--interventions', changes];
    const { code, stdout, stderr } = await transformerHere(...args, '--max-new-tokens', '8');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).ids[0]).not.toEqual(text!.new.slice(0, 8));
  });

  it.each([
    ['no prompt', [], 'give one of --prompt, --chat and --ids'],
    ['a text without a tokenizer', ['--prompt', 'a'], 'has no tokenizer.json'],
    ['--greedy with a temperature', ['--greedy', '--temperature', '1'], '--greedy draws nothing'],
    ['beams of a decoder', ['--prompt', 'a', '--beams', '2'], '--beams is for a T5'],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await transformerHere('generate', checkpoint('gpt2'), ...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
  });
});
