import { spawn } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { root } from './workspace.mjs';

/**
 * Runs a program and resolves to `{ code, stdout, stderr }`; output is collected unless `stdio`
 * says otherwise. Never rejects for a non-zero exit: the caller decides what that means.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => (stdout += chunk));
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 1, signal, stdout, stderr }));
  });
}

/** As `run`, but a failure is an error that carries the end of the output. */
export async function runOrThrow(command, args, options = {}) {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  const tail = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-40).join('\n');
  throw new Error(`${command} ${args.join(' ')} ended with ${result.code}\n${tail}`);
}

/**
 * Runs a program that shares this terminal. SIGTERM is passed on; SIGINT reaches the child from the
 * terminal by itself (passing it on would count as the second Ctrl-C), so it is only outlived here.
 */
export function runForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const outlive = () => {};
    const passOn = () => child.kill('SIGTERM');
    process.on('SIGINT', outlive);
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', outlive);
      process.off('SIGTERM', passOn);
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0) });
    });
  });
}

/** What `work` gives for each item, in their order, with as many under way as there are cores. */
export async function inParallel(items, work) {
  const results = [];
  let next = 0;
  const workNext = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, workNext));
  return results;
}

/** Node's arguments that run TypeScript which uses packages as built, as that of users does. */
export const fromBuilds = () => ['--import', import.meta.resolve('tsx')];

/** Node's arguments that run TypeScript of this repository from sources, without a build. */
export const fromSources = () => ['--conditions=@lab/source', ...fromBuilds()];
