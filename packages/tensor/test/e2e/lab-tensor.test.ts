import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programArguments, requireCondition, runProcess, temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = programArguments();
const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };
const labTensor = (...args: string[]) =>
  runProcess(process.execPath, [...program, ...args], { cwd: root, env: plain });

/** A program that answers as the Python side does, without PyTorch. */
function fakePython(body: string): string {
  const path = join(temporaryFolder(), 'python');
  writeFileSync(path, `#!${process.execPath}\n${body}`);
  chmodSync(path, 0o755);
  return path;
}

const torchIsThere = spawnSync('python3', ['-c', 'import torch']).status === 0;

describe('lab-tensor doctor', () => {
  it('says what there is, what is chosen and what the others need', async () => {
    const { code, stdout, stderr } = await labTensor('doctor');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('error') });
    expect(stdout).toContain(`node         ${process.versions.node} (V8`);
    expect(stdout).toMatch(/^threads +\d+ \(\d+ processors?, (no )?quota/m);
    expect(stdout).toMatch(/^products +(128|256)-bit vectors: \S.*$/m);
    expect(stdout).toMatch(/^chosen +\S+: first in the order/m);
    expect(stdout).toMatch(/^wasm +works +(plain|relaxed) SIMD, \d+ threads?.*, heap of 4\.3 GB$/m);
    expect(stdout).toMatch(/^cpu +works +1 thread, for tests only$/m);
  });

  it('gives the same as one object', async () => {
    const { code, stdout } = await labTensor('doctor', '--json');
    const { status, chosen, products, backends, machine } = JSON.parse(stdout);
    expect({ code, status }).toEqual({ code: 0, status: 'success' });
    expect(products).toEqual({ vectorBits: expect.any(Number), why: expect.any(String) });
    const names = ['tensorflow-gpu', 'tensorflow', 'wasm', 'webgpu', 'cpu'];
    expect(backends.map(({ name }: { name: string }) => name)).toEqual(names);
    const works = backends.filter(({ state }: { state: string }) => state === 'works');
    expect(chosen).toBe(works[0].name);
    expect(works.find(({ name }: { name: string }) => name === 'wasm')).toMatchObject({
      facts: { simd: expect.stringMatching(/plain|relaxed/), memoryLimitBytes: 2 ** 32 },
      sharedMemory: true,
    });
    for (const { state, why, needs } of backends) {
      if (state === 'works') continue;
      expect({ why, needs }).toEqual({ why: expect.any(String), needs: expect.any(String) });
    }
    expect(machine).toMatchObject({ node: process.versions.node, threads: expect.any(Number) });
  });
});

describe('lab-tensor bench', () => {
  it('measures one operation', async () => {
    const flags = ['--backend', 'wasm', '--only', '^small-add$', '--threads', '1', '--json'];
    const { code, stdout } = await labTensor('bench', ...flags);
    const { rows, skipped, node, machine, pytorch, backend } = JSON.parse(stdout);
    expect({ code, skipped, node }).toEqual({ code: 0, skipped: [], node: process.versions.node });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ op: 'small-add', backend: 'wasm', threads: 1, samples: 7 });
    expect(rows[0].minWallMs).toBeGreaterThan(0);
    expect(rows[0].wallMs).toBeGreaterThanOrEqual(rows[0].minWallMs);
    expect(rows[0].cpuMs).toBeGreaterThan(0);
    expect(pytorch).toBeNull();
    expect(backend).toMatchObject({ name: 'wasm', threads: 1 });
    expect(machine).toMatchObject({ cores: expect.any(Number), load: { end: expect.any(Number) } });
  });

  it('says what a backend cannot do, and goes on', async () => {
    const flags = ['--backend', 'cpu', '--only', '^(peak|small)'];
    const { code, stdout } = await labTensor('bench', ...flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^small-add +[\d.]+ +[\d.]+/m);
    expect(stdout).toContain('not measured: peak-fma-128 (cpu): a kernel of the backend wasm');
  });

  it('times the other side in turns with ours, by its fastest form', async () => {
    const python = fakePython(`
      const say = (value) => console.log(JSON.stringify(value));
      const times = { slow: 2, fast: 0.5 };
      say({ version: '0', python: '0', threads: Number(process.argv[3]), torchGeometric: null });
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const request = JSON.parse(line);
        if (request.do === 'prepare') say({ forms: Object.keys(times), failed: { odd: 'reason' } });
        else if (request.do === 'run') say({ wallMs: times[request.form], cpuMs: 1 });
        else say({});
      });`);
    const flags = ['--backend', 'wasm', '--only', '^small-add$', '--threads', '1'];
    const json = await labTensor('bench', ...flags, '--python', python, '--json');
    const { rows, skipped, pytorch } = JSON.parse(json.stdout);
    expect(pytorch).toMatchObject({ threads: 1 });
    expect(rows.slice(1)).toMatchObject([
      { op: 'small-add', backend: 'pytorch', form: 'slow', wallMs: 2, samples: 7 },
      { op: 'small-add', backend: 'pytorch', form: 'fast', wallMs: 0.5, samples: 7 },
    ]);
    expect(rows[0].ratio).toBeCloseTo(rows[0].wallMs / 0.5, 2);
    expect(skipped).toEqual([{ op: 'small-add', backend: 'pytorch', form: 'odd', why: 'reason' }]);
  });

  it.skipIf(!requireCondition('pytorch', torchIsThere))(
    'runs PyTorch (needs pytorch)',
    async () => {
      const flags = ['--only', '^small-add$', '--python', 'python3', '--json'];
      const { code, stdout } = await labTensor('bench', ...flags);
      const { rows, pytorch } = JSON.parse(stdout);
      expect(code).toBe(0);
      expect(rows.map(({ backend }: { backend: string }) => backend)).toEqual(['wasm', 'pytorch']);
      expect(rows[1]).toMatchObject({ form: 'add', threads: pytorch.threads });
    },
  );
});

describe('a Python that cannot', () => {
  it('be found is a wrong flag', async () => {
    const { code, stdout, stderr } = await labTensor('bench', '--python', '/no/python');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/error: --python: there is no program[^]*\n {2}help: /);
  });

  it.each([
    [`console.error("ModuleNotFoundError: No module named 'torch'"); process.exit(1);`, 'PyTorch'],
    ['process.exit(3);', 'ended amid its work'],
  ])('by %s', async (body, word) => {
    const flags = ['--only', 'small', '--python', fakePython(body)];
    const { code, stderr } = await labTensor('bench', ...flags);
    expect(code).toBe(4);
    expect(stderr).toContain(word);
  });
});

describe('the gates', () => {
  const row = (op: string, wallMs: number, more: object = {}) => ({
    ...{ op, backend: 'wasm', threads: 2, wallMs },
    ...more,
  });
  const peer = (op: string, wallMs: number, form: string) =>
    row(op, wallMs, { backend: 'pytorch', form });
  const rows = [
    row('peak-fma-128', 1, { gflopPerSecond: 100 }),
    row('matmul-2048', 200, { gflopPerSecond: 90 }),
    row('matmul-2048-transpose-a', 250),
    peer('matmul-2048', 50, 'matmul'),
    row('csr-matmul-forward', 10),
    peer('csr-matmul-forward', 300, 'index_add'),
    peer('csr-matmul-forward', 8, 'csr'),
    row('csr-matmul-gradients', 30),
    peer('csr-matmul-gradients', 30, 'csr'),
    row('gat-layer-gradients', 100),
    peer('gat-layer-gradients', 700, 'index_add'),
    peer('gat-layer-gradients', 110, 'csr'),
    row('adamw-5m', 3),
    peer('adamw-5m', 3, 'fused'),
  ];
  const judge = (measured: object[]) => {
    const path = join(temporaryFolder(), 'result.json');
    const backend = { name: 'wasm', threads: 2 };
    writeFileSync(path, JSON.stringify({ rows: measured, backend }));
    return runProcess(process.execPath, [join(root, 'bench/gates.mjs'), path]);
  };

  it('are met by a run within all limits', async () => {
    const { code, stdout } = await judge(rows);
    expect(code).toBe(0);
    expect(stdout).not.toContain('NOT MET');
    expect(stdout).toContain("met      1.25  csr-matmul-forward by PyTorch's fastest form");
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ isMet: true });
  });

  it.each([
    ['matmul-2048-transpose-a', 261],
    ['gat-layer-gradients', 111],
    ['adamw-5m', 6.1],
  ])('are not met when %s takes %d ms', async (op, wallMs) => {
    const slower = rows.map((one) =>
      one.op === op && one.backend === 'wasm' ? { ...one, wallMs } : one,
    );
    const { code, stdout } = await judge(slower);
    expect(code).toBe(1);
    expect(stdout.split('\n').filter((line) => line.startsWith('NOT MET'))).toHaveLength(1);
  });

  it('are not met by what was not measured', async () => {
    const { code, stdout } = await judge(rows.filter(({ op }) => op !== 'adamw-5m'));
    expect(code).toBe(1);
    expect(stdout).toContain('NOT MET  not measured  adamw-5m');
  });
});
