import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { cOf } from '../../src/native/build.js';

const script = join(import.meta.dirname, 'fixture/frugal-compiler.mjs');

/**
 * A stand-in for a C++ compiler, with one for the C compiler beside it: what the same arguments
 * have made before is not compiled again.
 *
 * @param compiler - a compiler, or a stand-in, which is given back.
 */
export function frugalCompiler(compiler: string): string {
  if (existsSync(join(dirname(compiler), 'kept'))) return compiler;
  const folder = temporaryFolder();
  execFileSync(process.execPath, [script, folder, compiler, cOf(compiler)]);
  return join(folder, basename(compiler));
}
