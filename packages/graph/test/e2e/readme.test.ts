import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const pairs = [...readme.matchAll(/```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];

describe('README', () => {
  it('shows the output of each example', () => {
    expect(pairs).toHaveLength(3);
    expect(readme.match(/```ts\n/g)).toHaveLength(pairs.length);
  });

  it.each(pairs.map(([, code = '', output = '']) => ({ code, output })))(
    'example $# prints what it says',
    async ({ code, output }) => {
      const args = ['--conditions=@lab/source', '--import', 'tsx', '--input-type=module'];
      const env = { NO_COLOR: '1', FORCE_COLOR: undefined };
      const result = await runProcess(process.execPath, [...args, '-e', code], { cwd: root, env });
      expect(result).toEqual({ code: 0, stdout: output, stderr: '' });
    },
  );
});
