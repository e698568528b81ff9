import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { findGitState, gitState } from './git-state.js';
import { requireProgram, temporaryFolder } from './testing.js';

function git(dir: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  return execFileSync('git', [...identity, ...args], { cwd: dir, encoding: 'utf8' }).trim();
}

describe.skipIf(!requireProgram('git'))('gitState (needs git)', () => {
  it('names the revision and whether files differ from it', async () => {
    const dir = temporaryFolder();
    git(dir, 'init', '-q');
    writeFileSync(join(dir, 'a'), '1');
    git(dir, 'add', 'a');
    git(dir, 'commit', '-q', '-m', 'one');
    const revision = git(dir, 'rev-parse', 'HEAD');
    expect(gitState(dir)).toEqual({ revision, dirty: false });
    writeFileSync(join(dir, 'a'), '2');
    expect(gitState(dir)).toEqual({ revision, dirty: true });
    expect(await findGitState(dir)).toEqual({ revision, dirty: true });
  });

  it('is null outside a repository and without git', async () => {
    expect(gitState(temporaryFolder())).toBeNull();
    expect(await findGitState(temporaryFolder())).toBeNull();
    vi.stubEnv('PATH', '');
    expect(gitState(process.cwd())).toBeNull();
    expect(await findGitState(process.cwd())).toBeNull();
    vi.unstubAllEnvs();
  });
});
