import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasSmallDisk, runProcess, smallDiskMount, temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { idsOf, llm, packageFolder, programArguments, writeRows } from './llm-process.js';

const words = (argv: readonly string[]) => argv.map((word) => `'${word}'`).join(' ');

/** Runs shell lines where `$DISK` is a tmpfs of 2 MB; `llm ...` says `exit CODE` on stderr. */
function onSmallDisk(lines: readonly string[]) {
  const disk = temporaryFolder();
  const script = [
    smallDiskMount(disk),
    `DISK='${disk}'`,
    `llm() { ${words([process.execPath, ...programArguments()])} "$@"; echo "exit $?" >&2; }`,
    `space() { df -k --output=avail "$DISK" | tail -n 1; }`,
    `fill() { dd if=/dev/zero of="$DISK/filler" bs=1k count=$(( $(space) - $1 )) 2>/dev/null; }`,
    `free() { rm "$DISK/filler"; }`,
    ...lines,
  ].join('\n');
  return runProcess('unshare', ['-rm', 'bash', '-c', script], { cwd: packageFolder });
}

describe.skipIf(!hasSmallDisk())('a full disk (needs tmpfs, 2 MB)', () => {
  let server: FakeServer;
  let undisturbed: string;
  const rows = writeRows(1000);
  const base = () => [
    ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url],
    ...['--model', 'fake', '--concurrency', '8', '--quiet'],
  ];

  beforeAll(async () => {
    server = await startFakeServer();
    const out = join(temporaryFolder(), 'run');
    const { code, stderr } = await llm([...base(), '--cache', 'off', '--out', out]);
    expect(code, stderr).toBe(0);
    undisturbed = readFileSync(join(out, 'predictions.jsonl'), 'utf8');
  });

  afterAll(() => server.close());

  it.each([
    { what: 'predictions', flags: '--cache off --out "$DISK/run"', run: '$DISK/run' },
    { what: 'answers', flags: '--cache-dir "$DISK/cache" --out "$RUN"', run: '$RUN' },
  ])(
    'for $what: said, nothing that counted is lost, and the run goes on',
    async ({ flags, run }) => {
      const [kept, later, elsewhere] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
      const start = `llm ${words(base())} ${flags} --resume`;
      const before = server.counters.paid;
      const { stderr } = await onSmallDisk([
        `RUN='${elsewhere}/run'`,
        'fill 120',
        start,
        `cp -r "${run}" '${kept}/run'`,
        'free',
        start,
        `cp -r "${run}" '${later}/run'`,
      ]);
      const [full, after] = stderr.split(/exit (?=\d)/).slice(1);
      expect(full, stderr).toMatch(/^3\n/);
      expect(stderr).toMatch(/error: .*disk full \(ENOSPC\)/);
      expect(stderr).toMatch(/\n {2}help: /);
      const finished = idsOf(join(kept, 'run', 'predictions.jsonl'));
      expect(finished.length).toBeGreaterThan(100);
      expect(finished.length).toBeLessThan(1000);
      expect(new Set(finished).size).toBe(finished.length);
      expect(after, stderr).toMatch(/^0\n/);
      expect(readFileSync(join(later, 'run', 'predictions.jsonl'), 'utf8')).toBe(undisturbed);
      // What counted was paid once; at most what was under way was paid again.
      expect(server.counters.paid - before).toBeLessThan(1000 + 400);
    },
  );
});
