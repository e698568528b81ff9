import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, it } from 'vitest';
import { numericCode, otherCode } from '../../bench/numeric-code.mjs';

const root = join(import.meta.dirname, '../../../..');

/** An import or a re-export of values: the names in braces, and where they are from. */
interface Source {
  readonly names: readonly string[];
  readonly from: string;
}

/** Names of values in the braces of an import, as its target calls them. */
function namesIn(braces: string): string[] {
  return braces
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(' as ')[0]!);
}

/** What a file imports and re-exports, types left out. */
function sourcesOf(file: string): Source[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /^(?:(?:import|export)\s(?!type\s)([^;'"]*?)\sfrom|import) '([^']+)'/gm;
  return [...text.matchAll(pattern)].map(([, clause, from]) => ({
    names: namesIn(/\{([^}]*)\}/.exec(clause ?? '')?.[1] ?? ''),
    from: from!,
  }));
}

/** Adds a file and all files of our packages that it imports values from. */
function addClosure(file: string, found: Set<string>): void {
  if (found.has(file) || !existsSync(file)) return;
  found.add(file);
  for (const { names, from } of sourcesOf(file)) {
    if (from.startsWith('.')) addClosure(sourceFile(file, from), found);
    else if (from.startsWith('@lab/')) addNamed(from, names, found);
  }
}

/** Follows the names through the index of another package, which only re-exports. */
function addNamed(from: string, names: readonly string[], found: Set<string>): void {
  const [, name, entry = 'index'] = from.split('/');
  const index = join(root, 'packages', name!, 'src', `${entry}.ts`);
  for (const source of sourcesOf(index)) {
    if (source.names.some((one) => names.includes(one))) {
      addClosure(sourceFile(index, source.from), found);
    }
  }
}

const sourceFile = (file: string, from: string) =>
  join(dirname(file), from.replace(/\.js$/, '.ts'));

it('the code whose change makes a long check stale has every file that a training imports', () => {
  const found = new Set<string>();
  const starts = {
    alignment: ['baseline', 'data', 'train', 'create-training'],
    ibmea: ['config', 'learner'],
  };
  for (const [folder, names] of Object.entries(starts)) {
    for (const name of names)
      addClosure(join(root, 'packages', folder, 'src', `${name}.ts`), found);
  }
  const paths = [...found].map((file) => relative(root, file).split(sep).join('/'));
  expect(paths).toEqual(
    expect.arrayContaining([
      'packages/ibmea/src/batch-contrast.ts',
      'packages/alignment/src/features.ts',
      'packages/graph/src/propagation.ts',
      'packages/tensor/src/gradients/rule.ts',
      'packages/core/src/ziggurat.ts',
    ]),
  );
  const isBelow = (path: string, listed: readonly string[]) =>
    listed.some((one) => path === one || path.startsWith(`${one}/`));
  expect(paths.filter((path) => !isBelow(path, [...numericCode, ...otherCode]))).toEqual([]);
  expect(numericCode.filter((path) => isBelow(path, otherCode))).toEqual([]);
});

it('the lists name only what is there', () => {
  for (const path of [...numericCode, ...otherCode])
    expect(existsSync(join(root, path))).toBe(true);
});
