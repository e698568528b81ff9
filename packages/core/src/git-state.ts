import { spawnSync } from 'node:child_process';

/** The git revision of a folder; `dirty` says that files differ from it. */
export interface GitState {
  readonly revision: string;
  readonly dirty: boolean;
}

/** The git state of a folder, or `null` outside a repository or without git. */
export function gitState(dir: string): GitState | null {
  const revision = git(dir, ['rev-parse', 'HEAD']);
  if (revision === null) return null;
  const changes = git(dir, ['status', '--porcelain', '--untracked-files=no']);
  return { revision: revision.trim(), dirty: changes === null || changes.trim() !== '' };
}

function git(dir: string, args: readonly string[]): string | null {
  const result = spawnSync('git', ['--no-optional-locks', ...args], {
    cwd: dir,
    encoding: 'utf8',
    timeout: 5000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return result.status === 0 ? result.stdout : null;
}
