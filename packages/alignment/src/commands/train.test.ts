import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMilliseconds, temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram, smallFolder } from '../__fixtures__/run-program.js';

let folder: string;

beforeAll(async () => {
  await selectBackend('wasm');
  folder = await smallFolder();
});

interface JsonResult {
  readonly run: string;
  readonly status: string;
  readonly metrics: Record<string, Record<string, number>> | null;
  readonly [key: string]: unknown;
}

/** Trains and returns the JSON object. */
async function trainedRun(...flags: string[]): Promise<JsonResult> {
  const argv = ['train', '--data', folder, '--epochs', '3', '--out', temporaryFolder(), '--json'];
  const { code, stdout, stderr } = await runProgram(...argv, ...quick, ...flags);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as JsonResult;
}

describe('train', () => {
  it('under --json prints one object with the metrics of both directions', async () => {
    const { run, status, metrics, ...rest } = await trainedRun();
    expect(status).toBe('success');
    expect(run).toMatch(/-table-dbp15k-s2023-[0-9a-f]{4}$/);
    for (const direction of ['forward', 'backward']) {
      for (const key of ['hits@1', 'hits@5', 'hits@10', 'hits@50', 'mrr', 'meanRank']) {
        expect(metrics![direction]![key]).toBeGreaterThanOrEqual(0);
      }
    }
    expect(rest).toMatchObject({ epochs: 3, selectedEpoch: 3, select: 'last', seeds: 12 });
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Table on pair');
  });

  it('without --json prints a table, the report and the next command', async () => {
    const argv = ['train', '--data', folder, '--epochs', '2', '--out', temporaryFolder()];
    const { code, stdout, stderr } = await runProgram(...argv);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^method +direction +H@1 +H@5 +H@10 +MRR +mean rank$/);
    expect(lines.filter((line) => line.startsWith('table '))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('baseline '))).toHaveLength(2);
    expect(stdout).toMatch(/report .*report\.html\nnext: table align --run /);
    const [, peak] = /, peak tensor memory ([\d.]+ [kMG]B); report/.exec(stdout)!;
    const page = readFileSync(/report (.*report\.html)/.exec(stdout)![1]!, 'utf8');
    expect(page).toMatch(new RegExp(`peak tensor memory</\\w+>\\s*<\\w+[^>]*>${peak}<`));
    expect(stderr).toContain(`  peak ${peak}`);
    expect(stderr).toMatch(/^table {2}mode corrected, preset dbp15k, modalities/m);
    expect(stderr).toMatch(/^data {3}40 \+ 40 entities/m);
    expect(stderr).toMatch(/^on {5}wasm/m);
    expect(stderr).not.toContain('\r');
    for (const line of lines) expect(line.length).toBeLessThan(200);
  });

  it('says once, and on the page, what the evaluation did otherwise than asked', async () => {
    const out = temporaryFolder();
    const argv = ['train', '--data', folder, '--epochs', '2', '--out', out, ...quick];
    const wide = ['evaluation.cslsNeighbours=50', 'evaluation.every=1'];
    const settings = wide.flatMap((entry) => ['--set', entry]);
    const { stderr } = await runProgram(...argv, ...settings);
    const remark = 'test pairs: CSLS neighbourhoods of 50 were lowered to 28';
    expect(stderr.split(`note   ${remark}`)).toHaveLength(2);
    const run = join(out, readdirSync(out)[0]!);
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain(remark);
    expect((await runProgram('evaluate', run)).stderr).toContain('note: CSLS neighbourhoods');
  });

  it('says so of the baseline, too', async () => {
    const out = temporaryFolder();
    const argv = ['train', '--data', folder, '--epochs', '1', '--out', out];
    const settings = ['--set', 'evaluation.search=approximate'];
    const { stderr } = await runProgram(...argv, ...settings);
    const remark = 'baseline: Ranked among the';
    expect(stderr.split(`note   ${remark}`)).toHaveLength(2);
    const run = join(out, readdirSync(out)[0]!);
    for (const name of ['report.html', 'log.txt']) {
      expect(readFileSync(join(run, name), 'utf8')).toContain(remark);
    }
    expect((await runProgram('evaluate', run)).stderr).toContain(`note: ${remark}`);
  });

  it('--quiet says nothing but the result', async () => {
    const argv = ['train', '--data', folder, '--epochs', '1', '--out', temporaryFolder()];
    const { stderr } = await runProgram(...argv, ...quick, '--quiet');
    expect(stderr).toBe('');
  });

  it('--no-evaluate trains only', async () => {
    const { metrics, ...rest } = await trainedRun('--no-evaluate');
    expect(metrics).toBeNull();
    expect(rest).toMatchObject({ baseline: null, confidence: null });
  });

  it('--dry-run says the plan and writes nothing', async () => {
    const argv = ['train', '--data', folder, '--dry-run', '--epochs', '9'];
    const { code, stdout } = await runProgram(...argv, ...quick);
    expect(code).toBe(0);
    expect(stdout).toMatch(/would train 9 epochs on 80 entities, \d+ triples, 12 seeds/);
    const json = await runProgram(...argv, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      run: null,
      status: 'planned',
      plan: { epochs: 9, entities: 80 },
    });
  });

  it('takes a config file, and flags before it', async () => {
    const file = join(temporaryFolder(), 'mine.yaml');
    writeFileSync(file, 'mode: official\ntraining:\n  epochs: 50\nloss:\n  temperature: 2\n');
    const { run } = await trainedRun('--config', file, '--epochs', '1');
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      config: { resolved: unknown; origins: Record<string, string>; mode: string };
    };
    expect(record.config.mode).toBe('official');
    expect(record.config.resolved).toMatchObject({
      loss: { temperature: 2 },
      training: { epochs: 1 },
    });
    expect(record.config.origins).toMatchObject({
      'training.epochs': '--epochs',
      'loss.temperature': expect.stringContaining('mine.yaml') as unknown,
    });
  });

  it('keeps start, remarks and end with their times in log.txt', async () => {
    const { run } = await trainedRun('--epochs', '2');
    const lines = () => readFileSync(join(run, 'log.txt'), 'utf8').trim().split('\n');
    expect(lines()[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z training started$/);
    expect(lines().at(-1)).toMatch(/Z done after epoch 2$/);
    await runProgram('train', '--resume', run, '--epochs', '3');
    expect(lines().slice(-2)).toEqual([
      expect.stringMatching(/Z training resumed after epoch 2$/),
      expect.stringMatching(/Z done after epoch 3$/),
    ]);
  });

  it('--resume goes on, with more epochs or the data elsewhere', async () => {
    const { run } = await trainedRun();
    const more = await runProgram('train', '--resume', run, '--epochs', '5', '--json');
    expect(JSON.parse(more.stdout)).toMatchObject({ run, epochs: 5 });
    expect(readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n')).toHaveLength(5);
    const elsewhere = await smallFolder();
    const argv = ['train', '--resume', run, '--data', elsewhere, '--epochs', '6', '--json'];
    expect(JSON.parse((await runProgram(...argv)).stdout)).toMatchObject({ epochs: 6 });
    await runProgram('train', '--resume', run, '--set', 'training.checkpointSeconds=5');
    const record = readFileSync(join(run, 'run.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({
      config: { resolved: { training: { epochs: 6, checkpointSeconds: 5 } } },
    });
  });

  it('--resume refuses other settings by name, exit 2; equal ones are welcome', async () => {
    const { run } = await trainedRun('--mode', 'official', '--seed', '3');
    const again = ['train', '--resume', run];
    for (const [flags, path] of [
      [['--set', 'loss.temperature=9'], 'loss.temperature'],
      [['--seed', '4'], 'seed'],
      [['--mode', 'corrected', '--set', 'model.noise=0.01'], 'model.noise'],
    ] as const) {
      const { code, stderr } = await runProgram(...again, ...flags);
      expect(code).toBe(2);
      expect(stderr).toContain(`the run was made with ${path}`);
      expect(stderr).toContain('  help: ');
    }
    const same = ['--mode', 'official', '--seed', '3', '--preset', 'dbp15k', ...quick];
    expect(await runProgram(...again, ...same, '--epochs', '3')).toMatchObject({ code: 0 });
  });

  it('--resume of other data is a data error, of no run too', async () => {
    const { run } = await trainedRun();
    const other = await smallFolder();
    const links = join(other, 'ill_ent_ids');
    writeFileSync(links, readFileSync(links, 'utf8').split('\n').slice(1).join('\n'));
    const changed = await runProgram('train', '--resume', run, '--data', other);
    expect(changed.code).toBe(3);
    expect(changed.stderr).toContain('another config or other data');
    const none = await runProgram('train', '--resume', temporaryFolder());
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('run.json');
    const foreign = temporaryFolder();
    mkdirSync(foreign, { recursive: true });
    writeFileSync(join(foreign, 'run.json'), '{"schemaVersion":99}');
    const version = await runProgram('train', '--resume', foreign);
    expect(version.code).toBe(3);
    expect(version.stderr).toContain('99');
    const text = readFileSync(join(run, 'run.json'), 'utf8');
    writeFileSync(join(run, 'run.json'), text.replace('"epochs":', '"rounds":'));
    const older = await runProgram('train', '--resume', run);
    expect(older.code).toBe(3);
    expect(older.stderr).toMatch(/made by version .*its config does not fit: training: .*rounds/);
  });
});

describe('demo', () => {
  it.each(['/proc/x', '/dev/null', '/dev/null/x'])(
    'says at once that %s takes no runs',
    async (out) => {
      let printed: Awaited<ReturnType<typeof runProgram>> | undefined;
      const spent = await cpuMilliseconds(async () => {
        printed = await runProgram('demo', '--out', out);
      });
      const { code, stdout, stderr } = printed!;
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/error: cannot make the folder [^]*\n {2}help: name another folder/);
      expect(stderr).not.toContain('epoch');
      expect(spent).toBeLessThan(5000);
    },
  );
});

describe('every verb', () => {
  it.each([
    ['check', '--data', '/no/such/folder'],
    ['report', '/no/such/run'],
    ['evaluate', '/no/such/run'],
    ['train', '--data', '/no/such/folder'],
  ])('%s --json of what is not there: one object with all its keys', async (...argv) => {
    const { code, stdout } = await runProgram(...argv, '--json');
    expect(code).toBe(3);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual(['run', 'status', 'metrics', 'error']);
    expect(result).toMatchObject({ status: 'error', metrics: null, error: { code: 'LAB_DATA' } });
  });

  it('-h says what seed and epochs are without a flag', async () => {
    const { stdout } = await runProgram('train', '-h');
    const help = stdout.replace(/\s+/g, ' ');
    expect(help).toContain('--seed <n> seed of all randomness (default 2023)');
    expect(help).toMatch(/--epochs <n> epochs to train \(default 10, .*own 30\)/);
  });
});

describe('evaluate', () => {
  it('gives the metrics of the run again, and others among all candidates', async () => {
    const { run, metrics } = await trainedRun('--set', 'model.noise=0.2');
    const again = JSON.parse((await runProgram('evaluate', run, '--json')).stdout) as JsonResult;
    expect(again.metrics).toEqual(metrics);
    const argv = ['evaluate', run, '--candidates', 'all', '--json'];
    const all = JSON.parse((await runProgram(...argv)).stdout) as JsonResult;
    expect(all.metrics!['forward']!['meanRank']).toBeGreaterThan(metrics!['forward']!['meanRank']!);
    expect((await runProgram('evaluate', run)).stdout).toMatch(/^method +direction/);
  });

  it('scores by evidence where asked to, and says from where on it counts', async () => {
    const { run, metrics } = await trainedRun('--set', 'evaluation.scores=evidence');
    const again = JSON.parse((await runProgram('evaluate', run, '--json')).stdout) as JsonResult;
    expect(again.metrics).toEqual(metrics);
    expect(metrics).toHaveProperty('evidence.fused');
    expect((await runProgram('evaluate', run)).stdout).toContain('Pairs are scored by evidence');
    const argv = ['evaluate', run, '--scores', 'fused', '--json'];
    const fused = JSON.parse((await runProgram(...argv)).stdout) as JsonResult;
    expect(fused.metrics).not.toHaveProperty('evidence');
  });

  it('needs test pairs, and a run', async () => {
    const { run } = await trainedRun('--set', 'data.seedShare=1');
    const { code, stderr } = await runProgram('evaluate', run);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no test pairs')]);
    expect((await runProgram('evaluate', '/no/such/run')).code).toBe(3);
  });
});

describe('report', () => {
  it('writes the page of a run again, and compares several', async () => {
    const { run } = await trainedRun();
    const page = join(run, 'report.html');
    writeFileSync(page, '');
    expect(await runProgram('report', run)).toMatchObject({ code: 0 });
    expect(readFileSync(page, 'utf8').length).toBeGreaterThan(10_000);
    const other = await trainedRun('--seed', '5');
    const out = join(temporaryFolder(), 'comparison.html');
    const { code, stdout } = await runProgram('report', run, other.run, '--out', out);
    expect(code).toBe(0);
    expect(stdout).toContain(`2 runs compared in ${out}`);
    const twice = await runProgram('report', run, other.run, run, '--out', out);
    expect(twice.stdout).toContain(`2 runs compared in ${out}`);
    expect(twice.stderr).toMatch(/note: .* was given twice and counts once/);
  });

  it('says where runs were ranked or scored in different ways, and tests nothing', async () => {
    const { run } = await trainedRun();
    const others = ['candidates=all', 'scores=evidence'].map(async (setting) => {
      const other = await trainedRun('--set', `evaluation.${setting}`);
      const out = join(temporaryFolder(), 'comparison.html');
      const { stderr } = await runProgram('report', run, other.run, '--out', out);
      return { stderr, html: readFileSync(out, 'utf8') };
    });
    const [ranked, scored] = await Promise.all(others);
    expect(ranked!.stderr).toContain('ranked among different candidates');
    expect(ranked!.html).toContain('ranked among different candidates');
    expect(scored!.stderr).toMatch(/scores is not the same \(.*fused; .*evidence\): a part of/);
    expect(scored!.html).toContain('evaluation.scores is not the same');
  });
});
