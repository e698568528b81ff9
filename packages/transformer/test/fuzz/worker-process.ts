/**
 * A process of the fuzzing, with limits of time and memory.
 */
import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CaseOutcome, FuzzCase } from './cases.js';
import type { Trial } from './worker.js';

/** Most time of a case: of the processor, so that a busy machine does not make it fail. */
export const LIMIT_MS = 1000;
/** Most time of a case that waits for something, or of one on a machine that is very busy. */
const LONGEST_WAIT_MS = 10_000;
/** Most memory of a case, the heap with it, beyond what the process needs to wait for one. */
export const LIMIT_BYTES = 256 * 2 ** 20;

/** Most time until a process waits for cases. */
const START_MS = 110_000;
const HEAP = ['--max-old-space-size=192', '--max-semi-space-size=8'];
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const script = join(import.meta.dirname, 'worker.ts');

/** How a case ends, and whether its process is of no more use. */
export interface ProcessOutcome extends CaseOutcome {
  readonly isGone: boolean;
}

interface Reply extends CaseOutcome {
  readonly folder?: string;
  readonly peakBytes: number;
}

/** A started process; of use for many cases, until one of them takes too much. */
export class WorkerProcess {
  private folder = '';
  private basePeakBytes = 0;

  private constructor(private readonly child: ChildProcess) {}

  /** Starts a process and limits its memory to what it has now, and 256 MB. */
  static async start(): Promise<WorkerProcess> {
    const child = fork(script, [], {
      execArgv: ['--conditions=@lab/source', '--import', tsx, ...HEAP],
      env: { ...process.env, NODE_OPTIONS: undefined },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const worker = new WorkerProcess(child);
    const ready = await worker.reply(START_MS);
    if (typeof ready === 'string')
      throw new Error(`the fuzzing's process does not start: ${ready}`);
    worker.folder = ready.folder ?? '';
    worker.basePeakBytes = ready.peakBytes;
    limitMemory(child.pid!);
    return worker;
  }

  /** Runs a case, or what a case must not do. */
  async run(one: FuzzCase | Trial): Promise<ProcessOutcome> {
    this.child.send(one);
    const reply = await this.reply(LIMIT_MS);
    if (typeof reply === 'string') {
      this.end();
      return { kind: 'failed', message: reply, isGone: true };
    }
    const taken = reply.peakBytes - this.basePeakBytes;
    if (taken > LIMIT_BYTES) {
      this.end();
      return { kind: 'failed', message: `took ${Math.round(taken / 2 ** 20)} MB`, isGone: true };
    }
    return { ...reply, isGone: false };
  }

  /** Ends the process and removes its files. */
  end(): void {
    this.child.kill('SIGKILL');
    if (this.folder !== '') rmSync(this.folder, { recursive: true, force: true });
  }

  /** The next message, or what came instead of one. */
  private reply(limitMs: number): Promise<Reply | string> {
    const { child } = this;
    const [began, usedBefore] = [performance.now(), processorMs(child.pid!)];
    return new Promise((resolve) => {
      const done = (result: Reply | string) => {
        clearTimeout(timer);
        child.removeAllListeners('message').removeAllListeners('exit').removeAllListeners('error');
        resolve(result);
      };
      const endIfLate = () => {
        const waited = performance.now() - began;
        const left = limitMs - (processorMs(child.pid!) - usedBefore);
        if (left > 0 && waited < LONGEST_WAIT_MS) timer = setTimeout(endIfLate, left + 1);
        else done(`no end after ${Math.round(waited)} ms`);
      };
      let timer = setTimeout(endIfLate, limitMs);
      child.once('message', (message) => done(message as Reply));
      child.once('exit', (code, signal) => done(`the process ended with ${signal ?? code}`));
      child.once('error', (error) => done(String(error)));
    });
  }
}

/** Milliseconds of the processor that a process has had; of the clock where that is not told. */
function processorMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name, in brackets: state is the first; its own time and the kernel's for it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return performance.now();
  }
}

/** Whether the memory of a process that runs can be bounded here; else its peak is looked at. */
export const hasMemoryLimit = spawnSync('prlimit', ['--version']).status === 0;

/** From now on the process gets no more than 256 MB; more ends it, or an allocation in it. */
function limitMemory(pid: number): void {
  if (!hasMemoryLimit) return;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const dataKb = Number(/^VmData:\s+(\d+) kB/m.exec(status)![1]);
  execFileSync('prlimit', ['--pid', String(pid), `--data=${dataKb * 1024 + LIMIT_BYTES}`]);
}
