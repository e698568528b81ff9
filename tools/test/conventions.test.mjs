import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { conventionProblems, readmeStates, relativeLinks } from '../conventions.mjs';
import { filesBelow, members, packages, root } from '../workspace.mjs';

describe('the checks themselves', () => {
  test('name what a file breaks', () => {
    const text = `export * from './a.js';\n// ${'TO'}DO later\n${'x'.repeat(101)}\n`;
    expect(conventionProblems('src/utils.ts', text)).toEqual([
      'holds export *',
      'holds a note to do something later',
      'has a vague name',
      'line 3 has 101 characters',
    ]);
    expect(conventionProblems('src/infoNce.ts', '')).toEqual(['is not named in kebab-case']);
    expect(conventionProblems('src/info-nce.test.ts', 'export {};\n')).toEqual([]);
    expect(conventionProblems('test/api.test-d.ts', '')).toEqual([]);
  });

  test('read the table of the root README', () => {
    const table = '| [`@lab/core`](packages/core) | x |\n| `@lab/llm` (planned) | y |\n';
    expect(readmeStates(table)).toEqual({ core: 'here', llm: 'planned' });
  });
});

test('relative links are read without anchors, code and addresses', () => {
  const text = '[a](b.md#c) [d](https://e.f) [g](#h)\n```sh\n[i](j)\n```\n![k](l/m.png)\n';
  expect(relativeLinks(text)).toEqual(['b.md', 'l/m.png']);
});

describe('the repository', () => {
  test('every relative link of a document leads to a file', () => {
    const isDocument = (path) => path.endsWith('.md') && !path.includes(`${join('docs', 'api')}`);
    const dead = filesBelow(root, isDocument).flatMap((path) =>
      relativeLinks(readFileSync(path, 'utf8'))
        .filter((target) => !existsSync(join(dirname(path), target)))
        .map((target) => `${relative(root, path)}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test.each(packages().map((member) => [member.folder, member]))(
    '%s keeps the conventions on files',
    (_, { dir }) => {
      const files = filesBelow(
        dir,
        (path) => path.endsWith('.ts') && !path.includes('.doc-examples'),
      );
      const problems = files.flatMap((path) =>
        conventionProblems(path, readFileSync(path, 'utf8')).map(
          (problem) => `${relative(root, path)} ${problem}`,
        ),
      );
      expect(problems).toEqual([]);
    },
  );

  test('tools and examples keep the conventions on files', () => {
    const isCode = (path) => /\.(ts|mjs)$/.test(path);
    const files = ['tools', 'examples'].flatMap((name) => filesBelow(join(root, name), isCode));
    const problems = files.flatMap((path) =>
      conventionProblems(path, readFileSync(path, 'utf8')).map(
        (problem) => `${relative(root, path)} ${problem}`,
      ),
    );
    expect(problems).toEqual([]);
  });

  test('the root README lists every package, and as planned only those that are not here', () => {
    const states = readmeStates(readFileSync(join(root, 'README.md'), 'utf8'));
    const here = Object.keys(states).filter((name) => states[name] === 'here');
    expect(here.sort()).toEqual(packages().map((member) => member.folder));
    expect(Object.keys(states)).toHaveLength(18);
  });

  test('documents keep to their lengths', () => {
    const limits = [
      ...packages().map(({ dir }) => [join(dir, 'README.md'), 250]),
      ...members('examples').flatMap(({ dir }) => [
        [join(dir, 'README.md'), 30],
        [join(dir, 'main.ts'), 80],
      ]),
      [join(root, 'CONTRIBUTING.md'), 80],
      ...filesBelow(join(root, 'docs', 'decisions'), () => true).map((path) => [path, 60]),
    ];
    const tooLong = limits.filter(
      ([path, limit]) =>
        existsSync(path) && readFileSync(path, 'utf8').trimEnd().split('\n').length > limit,
    );
    expect(tooLong).toEqual([]);
  });
});
