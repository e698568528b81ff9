/** The TypeScript blocks below `@example` tags in doc comments: `{ line, code }`. */
export function docCommentExamples(source) {
  const found = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const text = comment[0].replace(/^[ \t]*\*(?: |(?=\n)|(?=\/))/gm, '');
    for (const tag of text.matchAll(/@example[^\n]*\n\s*```(?:ts|typescript)\n([\s\S]*?)```/g)) {
      found.push({
        line: lineAt(source, comment.index) + lineAt(text, tag.index) - 1,
        code: tag[1],
      });
    }
  }
  return found;
}

/**
 * The TypeScript blocks of a README: `{ line, code }`. A block that cannot run in a test has
 * `<!-- not run: reason -->` on the line above it.
 */
export function readmeExamples(text) {
  return [...text.matchAll(/(<!-- not run: [^\n]+ -->\n)?^```(?:ts|typescript)\n([\s\S]*?)^```/gm)]
    .filter((match) => !match[1])
    .map((match) => ({ line: lineAt(text, match.index), code: match[2] }));
}

const lineAt = (text, index) => text.slice(0, index).split('\n').length;

/**
 * The block as a module: names that the package exports are imported when the block imports nothing
 * from it, and `expression; // => value` becomes a check.
 */
export function exampleModule(code, { packageName, exported }) {
  const checked = code.replace(
    /^(?!\s*(?:const|let|import|export|\/\/))(\s*)(.+?);?[ \t]*\/\/ => (.+)$/gm,
    (_, indent, expression, value) => `${indent}expectEqual(${expression}, ${value});`,
  );
  const needsCheck = checked !== code;
  const imported = new RegExp(`from '${packageName}'`).test(code);
  const used = imported ? [] : exported.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return [
    needsCheck ? "import { expectEqual } from './expect-equal.js';\n" : '',
    used.length > 0 ? `import { ${used.join(', ')} } from '${packageName}';\n` : '',
    checked,
    'export {};\n',
  ].join('');
}

/** Source of the module that the checks call: deep equality, numbers to 1e-6. */
export const expectEqualSource = `import { inspect, isDeepStrictEqual } from 'node:util';

function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(6));
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as number[], rounded);
  if (Array.isArray(value)) return value.map(rounded);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, rounded(part)]));
  }
  return value;
}

export function expectEqual(got: unknown, expected: unknown): void {
  if (isDeepStrictEqual(rounded(got), rounded(expected))) return;
  throw new Error('the example says ' + inspect(expected) + ' but gives ' + inspect(got));
}
`;
