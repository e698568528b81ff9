import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { exampleModel } from '../example-models.js';
import { loadTokenizer } from '../tokenizer.js';
import { readPrompts } from './prompt-file.js';

it('messages for a model without a chat template are refused with their line', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'prompts.jsonl');
  copyFileSync(join(exampleModel('organism'), 'tokenizer.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
  writeFileSync(path, '{"text": "Hello"}\n{"messages": [{"role": "user", "content": "Hello"}]}\n');
  await expect(readPrompts(path, loadTokenizer(folder))).rejects.toMatchObject({
    code: 'LAB_CONFIG',
    message: `${path} line 2: has messages; ${folder}: has no chat template.`,
    help: expect.stringContaining('Write the text'),
  });
});

it('messages that a template refuses are named with their line', async () => {
  const path = join(temporaryFolder(), 'prompts.jsonl');
  writeFileSync(path, '{"messages": [{"role": "tool", "content": "Hello"}]}\n');
  await expect(readPrompts(path, loadTokenizer(exampleModel('organism')))).rejects.toThrow(
    /line 1: .*There are turns of user and assistant only\.$/,
  );
});
