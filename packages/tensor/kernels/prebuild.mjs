// node --conditions=@lab/source --import tsx kernels/prebuild.mjs FOLDER: the kernels as addons for
// the two levels of x86-64 that have fused multiply-adds. Runs before a package of such addons is
// packed; needs g++ and gcc.
import { join } from 'node:path';
import { buildKernels } from '../src/native/build.ts';

const LEVELS = ['x86-64-v3', 'x86-64-v4'];

const build = async (level) => {
  const target = join(process.argv[2] ?? '.', `lab_kernels.${level}.node`);
  await buildKernels(target, { compiler: 'g++', flags: [`-march=${level}`] });
  process.stdout.write(`${target}\n`);
};

await Promise.all(LEVELS.map(build));
