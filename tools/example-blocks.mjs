/**
 * The examples below `@example` tags in doc comments: `{ line, code }`; in a `ts` block, or without
 * a block all lines up to the next tag.
 */
export function docCommentExamples(source) {
  const found = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const text = comment[0].replace(/\s*\*\/$/, '\n').replace(/^[ \t]*\*(?: |(?=\n))/gm, '');
    for (const tag of text.matchAll(/^@example[^\n]*\n([\s\S]*?)(?=^@\w|(?![\s\S]))/gm)) {
      const block = /```(\w*)\n([\s\S]*?)```/.exec(tag[1]);
      if (block && !['ts', 'typescript'].includes(block[1])) continue;
      const line = lineAt(source, comment.index) + lineAt(text, tag.index) - 1;
      found.push({ line, code: block ? block[2] : `${tag[1].trim()}\n` });
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
 * The block as a module: names that an entry of the package exports are imported when the block has
 * no import of that entry, a tensor example that selects no backend gets the plain one, and
 * `expression; // => value` becomes a check.
 *
 * @param exported - exported names by entry, e.g. `{ '@lab/tensor/io': ['readNpy'] }`.
 */
export function exampleModule(code, exported) {
  const checked = code.replace(
    /^(?!\s*(?:const|let|import|export|\/\/))(\s*)(.+?);?[ \t]*\/\/ => (.+)$/gm,
    (_, indent, expression, value) => `${indent}expectEqual(${expression}, ${value});`,
  );
  const isUsed = (name) => new RegExp(`(?<![.\\w])${name}\\b`).test(code);
  const known = new Set(
    [...code.matchAll(/import (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) => namesIn(list)),
  );
  const imports = [];
  for (const [entry, names] of Object.entries(exported)) {
    const used = names.filter((name) => isUsed(name) && !known.has(name));
    for (const name of used) known.add(name);
    if (used.length > 0) imports.push(`import { ${used.join(', ')} } from '${entry}';\n`);
  }
  const needsBackend = '@lab/tensor' in exported && !code.includes('selectBackend');
  if (needsBackend) {
    imports.push("import { selectBackend } from '@lab/tensor';\nawait selectBackend('cpu');\n");
  }
  if (checked !== code) imports.push("import { expectEqual } from './expect-equal.js';\n");
  return `${imports.join('')}${checked}export {};\n`;
}

/** The names of an import list: `type a as b, c` gives b and c. */
const namesIn = (list) =>
  list
    .split(',')
    .map((part) => part.trim().split(/\s+/).at(-1) ?? '')
    .filter(Boolean);

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
