import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../src/testing.js';

const root = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const pairs = [...readme.matchAll(/```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];

describe('README', () => {
  let folder = ''; // inside the package, where `@lab/core` is itself
  beforeAll(() => {
    folder = mkdtempSync(join(root, '.doc-examples-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('shows examples', () => {
    expect(pairs).toHaveLength(4);
    expect(readme.match(/```ts\n/g)).toHaveLength(pairs.length);
  });

  it.each(pairs.map(([, code = '', output = '']) => ({ code, output })))(
    'example $# prints what it says',
    async ({ code, output }) => {
      const path = join(folder, 'example.ts');
      writeFileSync(path, code);
      const args = ['--conditions=@lab/source', '--import', 'tsx', path];
      const env = { NO_COLOR: '1', FORCE_COLOR: undefined };
      const options = { cwd: folder, env };
      const result = await runProcess(process.execPath, args, options);
      expect(result).toEqual({ code: 0, stdout: output, stderr: '' });
    },
  );
});
