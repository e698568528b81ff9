// The tables for native programs, from the sources: kernels/native/kernel-table.h of all kernels,
// kernels/native/cuda-table.h of those with a CUDA launcher.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const HEAD = `// Every kernel by its exported name, with a call on values from JavaScript. Written by
// kernels/build.mjs from the sources; do not edit.
`;

const CUDA_HEAD = `// Every kernel with a CUDA launcher, by its exported name, and a call of it.
// Written by kernels/build.mjs from cuda/launchers.h; do not edit.
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

/** All kernels of the sources. */
export const readKernels = (compiler, folder, sources) =>
  sources.flatMap((source) => kernelsIn(compiler, join(folder, source)));

/** Codes of the values that JavaScript gives. */
const ownCodes = ({ isBlocks, codes }) => (isBlocks ? codes.slice(3) : codes);

/** The text of the table of all kernels. */
export function tableText(kernels) {
  const rows = kernels.map((kernel) => {
    const { name, isBlocks } = kernel;
    return `    {"${name}", "${ownCodes(kernel)}", ${Number(isBlocks)}, call_${name}},`;
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

const LAUNCHER = /int lab_cuda_(\w+)\(void \*stream, ([^)]*)\);/g;

/** The launchers of a header: their names and the types of what follows the stream. */
const launchersIn = (header) =>
  [...header.replaceAll(/\s+/g, ' ').matchAll(LAUNCHER)].map(([, name, list]) => ({
    name,
    types: list.split(',').map((parameter) => parameter.trim().replace(/\w+$/, '').trim()),
  }));

/** A launcher with the codes of its kernel, which it must agree with; a is where an answer goes. */
function launchedKernel({ name, types }, kernels) {
  const kernel = kernels.find((one) => one.name === name);
  const { isBlocks } = kernel ?? {};
  const wanted = kernel && ownCodes(kernel) + (kernel.result === 'int' ? 'p' : '');
  const own = isBlocks ? types.slice(1) : types;
  const found = own.map((type) => codeOf(`${type} x`)).join('');
  if (found !== wanted || (isBlocks && types[0] !== 'int')) {
    throw new Error(`kernels: lab_cuda_${name} takes ${found}, the kernel ${wanted}.`);
  }
  const codes = kernel.result === 'int' ? found.replace(/p$/, 'a') : found;
  return { name, isBlocks, own, codes };
}

function launchText({ name, isBlocks, own }) {
  const cast = (type, at) => `(${type})v[${at}].${type.includes('*') ? 'address' : 'number'}`;
  const given = ['stream', ...(isBlocks ? ['count'] : []), ...own.map(cast)].join(', ');
  return [
    `static int launch_${name}(void *stream, int count, const Value *v) {`,
    ...(isBlocks ? [] : ['  (void)count;']),
    `  return lab_cuda_${name}(${given});`,
    '}',
  ].join('\n');
}

/** The text of the table of the kernels with a launcher. */
export function cudaTableText(header, kernels) {
  const launched = launchersIn(header).map((launcher) => launchedKernel(launcher, kernels));
  const rows = launched.map(
    ({ name, codes, isBlocks }) =>
      `    {"${name}", "${codes}", ${Number(isBlocks)}, LAUNCH(launch_${name})},`,
  );
  return [
    CUDA_HEAD + '#pragma once\n\n#include "kernel.h"\n',
    '#ifdef LAB_CUDA\n#include "../cuda/launchers.h"\n',
    '#define LAUNCH(function) function\n',
    launched.map(launchText).join('\n'),
    '#else\n#define LAUNCH(function) 0\n#endif\n',
    'static const Launcher launchers[] = {',
    ...rows,
    '};',
    '',
  ].join('\n');
}
