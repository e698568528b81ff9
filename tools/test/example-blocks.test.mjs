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

test('takes ts blocks of a README unless they say why they are not run', () => {
  const text =
    '# x\n```ts\na();\n```\n<!-- not run: needs a server -->\n```ts\nb();\n```\n```sh\nc\n```\n';
  expect(readmeExamples(text)).toEqual([{ line: 2, code: 'a();\n' }]);
});

test('imports exported names that are used, and turns an arrow comment into a check', () => {
  const target = { packageName: '@lab/x', exported: ['sum', 'mean'] };
  const text = exampleModule('sum(1, 2); // => 3\nconst y = 1; // => not a check\n', target);
  expect(text).toContain("import { sum } from '@lab/x';");
  expect(text).toContain('expectEqual(sum(1, 2), 3);');
  expect(text).toContain('const y = 1; // => not a check');
});

test('leaves the imports of a block alone', () => {
  const target = { packageName: '@lab/x', exported: ['sum'] };
  const text = exampleModule("import { sum } from '@lab/x';\nsum(1, 2);\n", target);
  expect(text.match(/import/g)).toHaveLength(1);
});
