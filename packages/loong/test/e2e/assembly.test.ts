import { fileURLToPath } from 'node:url';
import { runProcess } from '@lab/core/testing';
import { expect, it } from 'vitest';

it('assembles prompts of the real lengths within the window, fast enough', async () => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const source = ['--conditions=@lab/source', '--import', 'tsx'];
  const script = ['packages/loong/bench/assembly.ts', '24', '128000'];
  const { code, stdout, stderr } = await runProcess(process.execPath, [...source, ...script], {
    cwd: root,
    env: { LAB_DATA: undefined },
  });
  expect(code, stderr).toBe(0);
  const found = JSON.parse(stdout) as Record<'most' | 'records' | 'tokens' | 'truncated', number>;
  expect(found.records).toBe(24);
  expect(found.truncated).toBeGreaterThan(4);
  expect(found.truncated).toBeLessThan(16);
  expect(found.most).toBeGreaterThan(100_000);
  expect(found.most).toBeLessThanOrEqual(128_000);
});
