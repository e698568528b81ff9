import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { cOf } from '../../src/native/build.js';

/**
 * What a stand-in does: it has the compiler make what was not asked for before, and copies the rest.
 * The folder of the target is another one each time, and says nothing about what is made.
 */
const script = (compiler: string, kept: string) => `#!${process.execPath}
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { copyFileSync, existsSync } = require('node:fs');
const { dirname, join } = require('node:path');
const args = process.argv.slice(2);
const target = args[args.indexOf('-o') + 1];
const isMade = args.includes('-o');
const inFolder = args.map((word) => (isMade ? word.replaceAll(dirname(target), 'FOLDER') : word));
const name = createHash('sha256').update(JSON.stringify(inFolder)).digest('hex');
const copy = join(${JSON.stringify(kept)}, ${JSON.stringify(basename(compiler))} + name);
if (isMade && existsSync(copy)) copyFileSync(copy, target);
else {
  const { status } = spawnSync(${JSON.stringify(compiler)}, args, { stdio: 'inherit' });
  if (isMade && status === 0) copyFileSync(target, copy);
  process.exitCode = status ?? 1;
}
`;

/**
 * A C++ compiler, with the C one beside it, that takes a minute only once: for the same arguments
 * as before it gives what it has kept. Sources must not change meanwhile.
 *
 * @param compiler - the C++ compiler that does the work.
 * @returns the path of the stand-in.
 */
export function frugalCompiler(compiler: string): string {
  const folder = temporaryFolder();
  const kept = join(folder, 'kept');
  mkdirSync(kept);
  for (const real of [cOf(compiler), compiler]) {
    const path = join(folder, basename(real));
    writeFileSync(path, script(real, kept));
    chmodSync(path, 0o755);
  }
  return join(folder, basename(compiler));
}
