import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { loginmea, metricsOf, onlyRun, predictionsOf, writePair } from './loginmea-process.js';

it('threads change no byte of metrics and predictions, nor does a kill -9 between', async () => {
  const data = await writePair(800);
  const training = (threads: number) => [
    ...['train', '--data', data, '--epochs', '3', '--threads', String(threads)],
    ...['model.size=64', 'evaluation.every=2', 'evaluation.baseline=false']
      .concat('training.checkpointSeconds=0')
      .flatMap((entry) => ['--set', entry]),
  ];
  const alone = temporaryFolder();
  const { code, stderr } = await loginmea([...training(1), '--out', alone]);
  expect(code, stderr).toBe(0);
  const [metrics, predictions] = [metricsOf(onlyRun(alone)!), predictionsOf(onlyRun(alone)!)];
  expect(metrics.trim().split('\n')).toHaveLength(3);

  const shared = temporaryFolder();
  const send = [{ after: 'epoch 1/', signal: 'SIGKILL' as const }];
  const killed = await loginmea([...training(2), '--out', shared], { send });
  expect(killed.code).toBe(137);
  const run = onlyRun(shared)!;
  expect(metricsOf(run).trim().split('\n').length).toBeLessThan(3);
  const resumed = await loginmea(['train', '--resume', run, '--threads', '2', '--quiet']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(metricsOf(run)).toBe(metrics);
  expect(predictionsOf(run)).toBe(predictions);
});
