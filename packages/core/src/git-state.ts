import { execFile, spawnSync } from 'node:child_process';

/** The git revision of a folder; `dirty` says that files differ from it. */
export interface GitState {
  readonly revision: string;
  readonly dirty: boolean;
}

/** Revision and changes in one call: starting git takes longer than what it does. */
const args = ['--no-optional-locks', 'status', '--porcelain=v2', '--branch'];
const command = [...args, '--untracked-files=no'];
const timeout = 5000;

/** The git state of a folder, or `null` outside a repository or without git. */
export function gitState(dir: string): GitState | null {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore'];
  const result = spawnSync('git', command, { cwd: dir, encoding: 'utf8', timeout, stdio });
  return result.status === 0 ? stateOf(result.stdout) : null;
}

/** The same, while other work goes on: for programs that are to begin at once. */
export function findGitState(dir: string): Promise<GitState | null> {
  return new Promise((resolve) => {
    execFile('git', command, { cwd: dir, encoding: 'utf8', timeout }, (error, output) => {
      resolve(error === null ? stateOf(output) : null);
    });
  });
}

function stateOf(output: string): GitState | null {
  const lines = output.split('\n').filter((line) => line !== '');
  const revision = /^# branch\.oid ([0-9a-f]+)$/m.exec(output)?.[1];
  if (revision === undefined) return null; // nothing was committed yet
  return { revision, dirty: lines.some((line) => !line.startsWith('#')) };
}
