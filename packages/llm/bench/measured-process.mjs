// Processes with what they cost.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const note = `
import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 };
  writeFileSync(process.env.LAB_USAGE_FILE, JSON.stringify(usage));
});`;
const hook = `data:text/javascript,${encodeURIComponent(note)}`;

/** Arguments of Node that run the program `llm` from sources. */
export const fromSources = [
  ...['--conditions=@lab/source', '--import', 'tsx'],
  'packages/llm/src/cli.ts',
];

/** Arguments of Node that run the program as it is published; see {@link buildProgram}. */
export const asBuilt = ['packages/llm/dist/cli.js'];

/** Builds the program: run from sources it would start slower, and name each function anew. */
export function buildProgram() {
  const args = ['run', 'build', '--output-logs=errors-only', '--filter=./packages/llm'];
  execFileSync('node_modules/.bin/turbo', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Runs Node, ours or another; resolves to its output, CPU seconds and peak of resident memory. */
export function measured(args, { onStart, program = process.execPath, env = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'lab-usage-'));
  const file = join(dir, 'usage.json');
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['--import', hook, ...args], {
      env: { ...process.env, ...env, LAB_USAGE_FILE: file, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    onStart?.(child);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const wallSeconds = (performance.now() - start) / 1000;
      const usage = signal === 'SIGKILL' ? {} : JSON.parse(readFileSync(file, 'utf8'));
      rmSync(dir, { recursive: true });
      resolve({ code, signal, wallSeconds, ...usage, ...output });
    });
  });
}

/** Starts the misbehaving server as a process of its own; resolves to its address and its end. */
export function startServer(latencyMs, more = [], program = fromSources) {
  const latency = ['--latency-ms', `${latencyMs}`, ...more];
  const args = [...program, 'fake-server', '--model', 'fake', ...latency];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.setEncoding('utf8').once('data', (text) => {
      const stop = () =>
        new Promise((ended) => {
          child.removeAllListeners('exit').on('exit', ended);
          child.kill('SIGKILL');
        });
      resolve({ url: text.trim(), stop });
    });
  });
}

/** The middle of several numbers. */
export const median = (numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
