import { describe, expect, it } from 'vitest';
import { runProgram } from './__fixtures__/run-program.js';
import { program } from './program.js';
import { version } from './version.js';

describe('the program', () => {
  it('says its version', async () => {
    expect(await runProgram('--version')).toMatchObject({ code: 0, stdout: `ibmea ${version}\n` });
  });

  it.each(program.commands.map(({ name }) => name))(
    'help of %s has an example of this program and settings within 80 columns',
    async (name) => {
      const { code, stdout } = await runProgram(name, '--help');
      const command = program.commands.find((one) => one.name === name)!;
      expect(code).toBe(0);
      expect(stdout).toContain(command.example);
      expect(command.example).toMatch(new RegExp(`^ibmea ${name}\\b`));
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it('says how many epochs each preset has', async () => {
    const help = (await runProgram('train', '-h')).stdout.replace(/\s+/g, ' ');
    expect(help).toMatch(/--epochs <n> epochs to train \(default 300, .*own 200\)/);
  });
});

describe('its settings', () => {
  it.each(['loss.graphBeta=-1', 'model.dropout=1'])('%s is refused by name', async (setting) => {
    const { code, stderr } = await runProgram('train', '--data', 'x', '--set', setting);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: [^]*\n {2}help: /);
    expect(stderr).toContain(setting.split('=')[0]);
  });

  it('are printed with their origins', async () => {
    const explained = await runProgram('config', '--mode', 'official', '--explain');
    expect(explained.stdout).toMatch(/model\.noise +"?official"? +mode official/);
    const json = await runProgram('config', '--json', '--set', 'loss.alpha=2');
    expect(JSON.parse(json.stdout)).toMatchObject({
      preset: 'dbp15k',
      mode: 'corrected',
      config: { loss: { alpha: 2 } },
      origins: { 'loss.alpha': '--set' },
    });
  });
});

describe('check', () => {
  it('--env says the version of this package', async () => {
    const { code, stdout } = await runProgram('check', '--env');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/@lab\/ibmea +\d/)]);
  });
});
