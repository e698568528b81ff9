import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  changeJson,
  copyModel,
  organismRecords,
  runProgram,
  writePrompts,
  writeText,
} from './sahara-program.js';

const model = ['--model', 'example:organism', '--backend', 'wasm'];
let prompts: string;
beforeAll(async () => {
  prompts = writePrompts(await organismRecords('refused', 4));
});

/** Everything that a user sees of a failure. */
async function failure(...argv: readonly string[]): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await runProgram(...argv, '--out', join(temporaryFolder(), 'run'));
  expect(stderr).toMatch(/error: [\s\S]+\n {2}help: /);
  return { code, stderr };
}

describe('prompts', () => {
  it.each([
    ['no rows', 'prompt\n', /no prompts|empty|no rows/i],
    ['a blank cell', 'prompt\nPolish the bell.\n" "\n', /line 3|row 2/],
    ['no column that is known', 'words\nPolish the bell.\n', /words/],
  ])('with %s are a data error that says where', async (_, content, words) => {
    const file = writeText('prompts.csv', content);
    const { code, stderr } = await failure('ships', ...model, '--prompts', file);
    expect(stderr).toMatch(words);
    expect(code).toBe(3);
  });

  it('that are no texts are a data error with row and column', async () => {
    const file = writeText('prompts.jsonl', '{"prompt":"Polish the bell."}\n{"prompt":7}\n');
    const { code, stderr } = await failure('ships', ...model, '--prompts', file);
    expect(stderr).toMatch(/2[\s\S]*prompt/);
    expect(code).toBe(3);
  });

  it('longer than the context are an error, or cut where that is allowed', async () => {
    const long = Array.from({ length: 300 }, () => 'polish the bell').join(' ');
    const file = writeText('prompts.txt', `${long}\n`);
    const { code, stderr } = await failure('ships', ...model, '--prompts', file);
    expect(stderr).toMatch(/512/);
    expect(code).toBe(3);
    const out = join(temporaryFolder(), 'run');
    const ablation = ['--ablation', 'scale', '--eps', '1'];
    const cut = await runProgram(
      ...['ships', ...model, '--prompts', file, '--truncate', 'left', ...ablation, '--out', out],
    );
    expect(cut.code, cut.stderr).toBe(0);
    expect(cut.stderr).toMatch(/cut +1 prompt/);
  });

  it('are two at least for a subspace', async () => {
    const file = writeText('prompts.txt', 'Polish the bell.\n');
    const { code, stderr } = await failure('sahara', ...model, '--prompts', file);
    expect(stderr).toMatch(/one prompt/);
    expect(code).toBe(3);
  });

  it('that are all the same give a subspace of one direction, and a remark', async () => {
    const file = writeText('prompts.txt', 'Polish the bell.\n'.repeat(3));
    const out = join(temporaryFolder(), 'run');
    const { code, stderr } = await runProgram(
      ...['sahara', ...model, '--prompts', file, '--size', '1', '--set', 'scores.rank=2'],
      ...['--out', out],
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/1 directions?, not 2/);
  });
});

describe('heads and ablations', () => {
  it.each([
    [['ablate', '--heads', '9-0'], /no head 9-0[\s\S]*0 to 4[\s\S]*0 to 7/],
    [['ablate', '--heads', '1-1,1-1'], /1-1 is named twice/],
    [['ablate', '--heads', 'second'], /"second" is no head/],
    [['ships', '--group', '0-8'], /no head 0-8/],
    [['ships', '--ablation', 'scale', '--eps', '-1'], /eps/],
    [['ships', '--ablation', 'uniform', '--site', 'v'], /uniform cannot be done at v/],
    [['ships', '--set', 'search.siz=2'], /search\.size/],
    [['ships', '--ablation', 'unifrom'], /uniform/],
    [['ablate', '--heads', '1-1', '--judge', 'sahara-papr'], /sahara-paper/],
    [['ablate', '--heads', '1-1', '--judge', 'gcg'], /--phrases|not shipped/],
    [['ships', '--format', 'tempalte'], /template/],
  ])('%j is a usage error', async ([verb = '', ...flags], words) => {
    const { code, stderr } = await failure(verb, ...model, '--prompts', prompts, ...flags);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });

  it('a factor of 1 changes nothing, exactly; 0 is the even pattern', async () => {
    const scores = async (...flags: readonly string[]) => {
      const out = join(temporaryFolder(), 'run');
      const { code, stderr } = await runProgram(
        ...['ships', ...model, '--prompts', prompts, ...flags, '--out', out],
      );
      expect(code, stderr).toBe(0);
      const file = JSON.parse(readFileSync(join(out, 'scores.json'), 'utf8')) as {
        scores: number[][];
      };
      return file.scores.flat();
    };
    const none = await scores('--ablation', 'scale', '--eps', '1');
    expect(none.every((score) => score === 0)).toBe(true);
    const zero = await scores('--ablation', 'scale', '--eps', '0');
    expect(zero).toEqual(await scores('--ablation', 'uniform'));
    expect(Math.max(...zero)).toBeGreaterThan(0.01);
  });

  it('keys of a model with groups need to be told apart', async () => {
    const grouped = ['--model', 'example:planted-grouped', '--backend', 'wasm'];
    const flags = ['--ablation', 'scale', '--site', 'k'];
    const { code, stderr } = await failure('ships', ...grouped, '--prompts', prompts, ...flags);
    expect(stderr).toMatch(/share[\s\S]*granularity/);
    expect(code).toBe(2);
  });
});

describe('models', () => {
  it('without a chat template refuse the format chat, and list others', async () => {
    const folder = copyModel('organism');
    changeJson(join(folder, 'tokenizer_config.json'), ({ chat_template: _, ...rest }) => rest);
    const { code, stderr } = await failure(
      ...[
        'ships',
        '--model',
        folder,
        '--backend',
        'wasm',
        '--prompts',
        prompts,
        '--format',
        'chat',
      ],
    );
    expect(stderr).toMatch(/template/);
    expect(code).toBe(2);
  });

  it('whose tokenizer has tokens that they have not are refused', async () => {
    const folder = copyModel('planted-early');
    changeJson(join(folder, 'tokenizer.json'), (value) => {
      const own = value as { model: { vocab: Record<string, number> } };
      own.model.vocab['zebra'] = 64;
      return value;
    });
    const { code, stderr } = await failure(
      ...['ships', '--model', folder, '--backend', 'wasm', '--prompts', prompts],
    );
    expect(stderr).toMatch(/vocabulary of 64/);
    expect([3, 4]).toContain(code);
  });

  it('that overflow are told with prompt and head', async () => {
    const folder = copyModel('planted-early');
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    // The end of the file belongs to the last weights: not a number in float32 and in bfloat16.
    bytes.fill(0xff, bytes.length - 64);
    writeFileSync(path, bytes);
    const { code, stderr } = await failure(
      ...['ships', '--model', folder, '--backend', 'wasm', '--prompts', prompts],
    );
    expect(stderr).toMatch(/not finite/);
    expect(code).toBe(4);
  });
});

describe('runs', () => {
  it('of another model, data or settings are not gone on with', async () => {
    const out = join(temporaryFolder(), 'run');
    const first = await runProgram('ships', ...model, '--prompts', prompts, '--out', out);
    expect(first.code, first.stderr).toBe(0);
    const other = writePrompts(await organismRecords('refused', 3));
    const { code, stderr } = await runProgram('ships', '--prompts', other, '--resume', out);
    expect(stderr).toMatch(/another prompts/);
    expect(code).toBe(2);
  });

  it('of responses are not gone on with in another way, nor by another verb', async () => {
    const out = join(temporaryFolder(), 'run');
    const flags = ['--heads', '1-1', '--max-new-tokens', '1', '--format', 'chat', '--limit', '2'];
    const args = ['ablate', ...model, '--prompts', prompts, ...flags];
    const first = await runProgram(...args, '--out', out);
    expect(first.code, first.stderr).toBe(0);
    const other = writePrompts(await organismRecords('refused', 3));
    const refusals: [readonly string[], RegExp, number][] = [
      [['ablate', '--max-new-tokens', '5'], /another settings\.maxNewTokens \(1, now 5\)/, 2],
      [['ablate', '--prompts', other, '--limit', '3'], /another prompts/, 2],
      [['ablate', '--threshold', '4'], /--threshold is 4; .* was begun without it/, 2],
      [['ships'], /is a run of sahara ablate/, 3],
    ];
    for (const [argv, message, wanted] of refusals) {
      const { code, stderr } = await runProgram(...argv, '--resume', out);
      expect(stderr).toMatch(message);
      expect(code, stderr).toBe(wanted);
    }
    const moved = copyModel('organism');
    const again = await runProgram('ablate', '--model', moved, '--resume', out);
    expect(again.code, again.stderr).toBe(0);
  });

  it('that are none are data errors of report', async () => {
    const { code, stderr } = await runProgram('report', temporaryFolder());
    expect(stderr).toMatch(/is no run folder[\s\S]*help:/);
    expect(code).toBe(3);
  });

  it('whose responses all fall apart say that a rate of 0 means nothing', async () => {
    const out = join(temporaryFolder(), 'run');
    const { code, stdout, stderr } = await runProgram(
      ...['ablate', ...model, '--prompts', prompts, '--heads', '1-1', '--max-new-tokens', '1'],
      ...['--format', 'chat', '--judge', 'sahara-paper', '--out', out],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/ablated|without 1-1/);
    expect(stderr).toMatch(/degenerate/);
  });
});
