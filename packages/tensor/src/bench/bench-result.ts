import type { Environment } from '@lab/core';
import type { BackendReport } from '../backend.js';
import type { Timing } from './statistics.js';
import type { TorchReport } from './torch-process.js';

/** One operation on one backend. */
export interface BenchRow extends Timing {
  readonly op: string;
  /** The backend's name, or `pytorch`. */
  readonly backend: string;
  /** Where PyTorch can do it in several ways, which one. */
  readonly form?: string;
  readonly threads: number;
  readonly gflopPerSecond?: number;
  readonly gbPerSecond?: number;
  /** Wall time of ours by that of PyTorch's fastest form. */
  readonly ratio?: number;
  /** Left out of short tables. */
  readonly isDetail?: boolean;
}

/** An operation that was not measured. */
export interface SkippedOperation {
  readonly op: string;
  readonly backend: string;
  readonly form?: string;
  readonly why: string;
}

/** The machine, with how busy it was. */
export interface BenchMachine extends Omit<Environment, 'node'> {
  /** Processors that the control group's quota allows, null without one. */
  readonly quotaProcessors: number | null;
  /** Processes that wanted to run, averaged over a minute, before and after. */
  readonly load: { readonly start: number; readonly end: number };
}

/** The record of one run of the bench. */
export interface BenchResult {
  readonly bench: 'lab-tensor bench';
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
  readonly machine: BenchMachine;
  /** Version of Node. */
  readonly node: string;
  readonly backend: BackendReport;
  readonly pytorch: TorchReport | null;
  readonly rows: readonly BenchRow[];
  readonly skipped: readonly SkippedOperation[];
  readonly seconds: number;
}
