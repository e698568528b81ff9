// @ts-check
// A thread of the kernel pool: sleeps until the main thread announces a job, takes blocks of it
// one by one until none is left, and sleeps again. The layout of `control` is in job.mjs.
import { workerData } from 'node:worker_threads';
import { instantiateKernels } from './instantiate.mjs';
import { BUSY, FAILED, GENERATION, READY, runBlocks, SPINS, START } from './job.mjs';

const { modules, memory, control, values, id, stack, scratch } = workerData;
const { exports } = instantiateKernels(modules, memory);
exports.__stack_pointer.value = stack;
const kernels = Object.values(exports).filter((kernel) => typeof kernel === 'function');

Atomics.store(control, READY + id, 1);
while (Atomics.load(control, START + id) === 0) Atomics.wait(control, START + id, 0);
let seen = Atomics.load(control, START + id) - 1;
for (;;) {
  for (let i = 0; i < SPINS && Atomics.load(control, GENERATION) === seen; i += 1);
  while (Atomics.load(control, GENERATION) === seen) Atomics.wait(control, GENERATION, seen);
  seen = Atomics.load(control, GENERATION);
  try {
    runBlocks({ control, values, kernels, id, scratch });
  } catch {
    Atomics.store(control, FAILED, 1);
  }
  if (Atomics.sub(control, BUSY, 1) === 1) Atomics.notify(control, BUSY);
}
