import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** The machine and the versions a run was made with. */
export interface Environment {
  /** Node version, e.g. `20.20.2`. */
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly release: string;
  readonly arch: string;
  /** Model of the first processor. */
  readonly cpu: string;
  /** Processor cores that this process may use. */
  readonly cores: number;
  /** Memory that this process may use, in bytes (a container's limit counts). */
  readonly memoryBytes: number;
}

/** The machine and versions of this process, for `run.json`, `check --env` and bug reports. */
export function describeEnvironment(): Environment {
  const limit = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  return {
    node: process.versions.node,
    v8: process.versions.v8 ?? 'unknown',
    platform: process.platform,
    release: release(),
    arch: process.arch,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: limit > 0 && limit < total ? limit : total,
  };
}
