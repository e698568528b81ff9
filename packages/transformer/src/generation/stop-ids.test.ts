import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { stopIdsOf } from './stop-ids.js';

function folderOf(config: object, generation?: object): string {
  const folder = temporaryFolder();
  const write = (name: string, content: object) =>
    writeFileSync(join(folder, name), JSON.stringify({ model_type: 'llama', ...content }));
  write('config.json', config);
  if (generation !== undefined) write('generation_config.json', generation);
  return folder;
}

it.each([
  [{ eos_token_id: 2 }, undefined, [2]],
  [{ eos_token_id: 2 }, { eos_token_id: [3, 4] }, [3, 4]],
  [{ eos_token_id: [2, 5] }, { temperature: 1 }, [2, 5]],
  [{ eos_token_id: null }, undefined, []],
  [{ text_config: { eos_token_id: 7 } }, { eos_token_id: null }, [7]],
])('of %j with %j are %j', (config, generation, ids) => {
  expect(stopIdsOf(folderOf(config, generation))).toEqual(ids);
});

it('refuses what is no id', () => {
  const folder = folderOf({}, { eos_token_id: ['</s>'] });
  expect(() => stopIdsOf(folder)).toThrow(/generation_config\.json: eos_token_id is \["<\/s>"\]/);
});
