import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { ibmea, metricsOf, onlyRun, writePair } from './ibmea-process.js';

const training = (data: string, threads: number) => [
  ...['train', '--data', data, '--epochs', '6', '--threads', String(threads)],
  ...['--set', 'training.warmup=3', '--set', 'evaluation.every=2'],
  ...['--set', 'training.checkpointSeconds=0'],
];

describe('threads', () => {
  it('change no byte of the metrics, nor does a kill -9 with another number', async () => {
    const data = await writePair(1200);
    const alone = temporaryFolder();
    const { code, stderr } = await ibmea([...training(data, 1), '--out', alone]);
    expect(code, stderr).toBe(0);
    const wanted = metricsOf(onlyRun(alone)!);
    expect(wanted.trim().split('\n')).toHaveLength(6);

    const shared = temporaryFolder();
    const send = [{ after: 'epoch 3/', signal: 'SIGKILL' as const }];
    const killed = await ibmea([...training(data, 3), '--out', shared], { send });
    expect(killed.code).toBe(137);
    const run = onlyRun(shared)!;
    expect(metricsOf(run).trim().split('\n').length).toBeLessThan(6);
    const resumed = await ibmea(['train', '--resume', run, '--threads', '2', '--quiet']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(metricsOf(run)).toBe(wanted);
  });

  it('are a whole number from 1', async () => {
    const data = await writePair(40);
    const { code, stderr } = await ibmea(['train', '--data', data, '--threads', '0']);
    expect(code).toBe(2);
    expect(stderr).toContain('threads must be a whole number from 1, got 0');
  });
});
