import { expect, test } from 'vitest';
import { docCommentExamples, exampleModule, readmeExamples } from '../example-blocks.mjs';

test('finds the block below @example, without the stars', () => {
  const source = [
    'const before = 1;',
    '/**',
    ' * Sum.',
    ' *',
    ' * @example',
    ' * ```ts',
    ' * sum(1, 2); // => 3',
    ' *',
    ' * sum(0, 0); // => 0',
    ' * ```',
    ' */',
  ].join('\n');
  expect(docCommentExamples(source)).toEqual([
    { line: 5, code: 'sum(1, 2); // => 3\n\nsum(0, 0); // => 0\n' },
  ]);
});

test('takes an example without a block up to the next tag, no block of another language', () => {
  const source = '/**\n * Sum.\n * @example\n * sum(1);\n *\n * sum(2);\n *\n * @throws never\n */';
  expect(docCommentExamples(source)).toEqual([{ line: 3, code: 'sum(1);\n\nsum(2);\n' }]);
  expect(docCommentExamples('/**\n * @example\n * ```sh\n * ls\n * ```\n */')).toEqual([]);
});

test('takes ts blocks of a README unless they say why they are not run', () => {
  const text =
    '# x\n```ts\na();\n```\n<!-- not run: needs a server -->\n```ts\nb();\n```\n```sh\nc\n```\n';
  expect(readmeExamples(text)).toEqual([{ line: 2, code: 'a();\n' }]);
});

test('imports exported names that are used, and turns an arrow comment into a check', () => {
  const exported = { '@lab/x': ['sum', 'mean'], '@lab/x/io': ['sum', 'read'] };
  const text = exampleModule("sum(read('a')); // => 3\nconst y = 1; // => no check\n", exported);
  expect(text).toContain("import { sum } from '@lab/x';");
  expect(text).toContain("import { read } from '@lab/x/io';");
  expect(text).toContain("expectEqual(sum(read('a')), 3);");
  expect(text).toContain('const y = 1; // => no check');
});

test('leaves the imports of a block alone, and members of the same name', () => {
  const text = exampleModule("import { sum } from '@lab/x';\nsum(a.mean);\n", {
    '@lab/x': ['sum', 'mean'],
  });
  expect(text.match(/import/g)).toHaveLength(1);
});

test('a tensor example that selects no backend runs on the plain one', () => {
  const exported = { '@lab/tensor': ['zeros', 'selectBackend'] };
  expect(exampleModule('zeros([2]);\n', exported)).toContain("await selectBackend('cpu');");
  expect(exampleModule("await selectBackend('wasm');\n", exported)).not.toContain("'cpu'");
});
