// The table of all kernels for native programs: kernels/native/kernel-table.h, from the sources.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const HEAD = `// Every kernel by its exported name, with a call on values from JavaScript. Written by
// kernels/build.mjs from the sources; do not edit.
`;

const DEFINITION = /LAB_EXPORT\((\w+)\)\s*(void|int)\s+(\w+)\(([^)]*)\)\s*\{/g;

/** Code of a C type: i an int, u a uint32, f a float, d a double, p an address. */
function codeOf(parameter) {
  if (parameter.includes('*')) return 'p';
  if (/\buint32_t\b/.test(parameter)) return 'u';
  if (/\bfloat\b/.test(parameter)) return 'f';
  if (/\bdouble\b/.test(parameter)) return 'd';
  if (/\bint\b/.test(parameter)) return 'i';
  throw new Error(`kernels: no code for the type of "${parameter}".`);
}

const TYPES = { i: 'int', u: 'uint32_t', f: 'float', d: 'double', p: 'void *' };
const asC = (code, at) => (code === 'p' ? `v[${at}].address` : `(${TYPES[code]})v[${at}].number`);

function kernelOf([, name, result, symbol, list]) {
  const parameters = list.trim() === 'void' ? [] : list.split(',').map((p) => p.trim());
  const isBlocks = /^int begin$/.test(parameters[0] ?? '');
  return { name, result, symbol, isBlocks, codes: parameters.map(codeOf).join('') };
}

/** The kernels of a source, macros expanded. */
function kernelsIn(compiler, source) {
  const flags = ['--target=wasm32', '-msimd128', '-E', '-P', '-DLAB_TABLE', '-ffreestanding'];
  const text = execFileSync(compiler, [...flags, source], { encoding: 'utf8' });
  return [...text.replaceAll(/\s+/g, ' ').matchAll(DEFINITION)].map(kernelOf);
}

function entryText({ name, result, symbol, isBlocks, codes }) {
  const types = [...codes].map((code) => TYPES[code]).join(', ') || 'void';
  const own = isBlocks ? codes.slice(3) : codes;
  const before = isBlocks ? ['r->begin', 'r->end', 'r->scratch'] : [];
  const given = [...before, ...[...own].map(asC)].join(', ');
  const call = result === 'int' ? `return ${symbol}(${given});` : `${symbol}(${given});`;
  const unused = [...(isBlocks ? [] : ['(void)r;']), ...(own === '' ? ['(void)v;'] : [])];
  return [
    `${result} ${symbol}(${types});`,
    `static double call_${name}(const Range *r, const Value *v) {`,
    ...unused.map((line) => `  ${line}`),
    `  ${call}`,
    ...(result === 'int' ? [] : ['  return 0;']),
    '}',
  ].join('\n');
}

/** The text of the table. */
export function tableText(compiler, folder, sources) {
  const kernels = sources.flatMap((source) => kernelsIn(compiler, join(folder, source)));
  const rows = kernels.map(({ name, isBlocks, codes }) => {
    const own = isBlocks ? codes.slice(3) : codes;
    return `    {"${name}", "${own}", ${Number(isBlocks)}, call_${name}},`;
  });
  return [
    HEAD + '#pragma once\n\n#include "kernel.h"\n',
    kernels.map(entryText).join('\n'),
    '',
    'static const Kernel kernels[] = {',
    ...rows,
    '};',
    '',
  ].join('\n');
}
