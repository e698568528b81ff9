import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { packageFolder } from './llm-process.js';

/** The files whose declarations users get, whatever their types come from. */
const entries = ['index.d.ts', 'testing.d.ts', 'queue.d.ts'];

/** A file and all of the package that it takes types from. */
function reachable(root: string): string[] {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const imports = readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)\.js'/g);
    for (const [, name = ''] of imports) visit(join(dirname(path), `${name}.d.ts`));
  };
  for (const entry of entries) visit(join(root, entry));
  return [...found];
}

/** A declaration without comments and texts. */
const bare = (text: string): string =>
  text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '').replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "''");

describe('public types', () => {
  it('hold no any, also none that was inferred', async () => {
    const out = temporaryFolder();
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin/tsc',
    );
    // Other packages by their sources, so that nothing has to be built.
    const args = ['-p', 'tsconfig.build.json', '--customConditions', '@lab/source'];
    const made = await runProcess(
      process.execPath,
      [tsc, ...args, '--declarationMap', 'false', '--rootDir', '..', '--outDir', out],
      { cwd: packageFolder },
    );
    expect(made.code, made.stdout).toBe(0);
    const root = join(out, 'llm', 'src');
    expect(readdirSync(root)).toEqual(expect.arrayContaining(entries));
    const files = reachable(root);
    expect(files.length).toBeGreaterThan(50);
    const untyped = files.flatMap((path) => {
      const lines = bare(readFileSync(path, 'utf8')).split('\n');
      return lines
        .filter((line) => /\bany\b/.test(line))
        .map((line) => `${relative(root, path)}: ${line.trim()}`);
    });
    expect(untyped).toEqual([]);
  });
});
