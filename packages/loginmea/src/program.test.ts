import { describe, expect, it } from 'vitest';
import { runProgram } from './__fixtures__/run-program.js';
import { program } from './program.js';
import { version } from './version.js';

describe('the program', () => {
  it('says its version', async () => {
    expect(await runProgram('--version')).toMatchObject({
      code: 0,
      stdout: `loginmea ${version}\n`,
    });
  });

  it.each(program.commands.map(({ name }) => name))(
    'help of %s has an example of this program and settings within 80 columns',
    async (name) => {
      const { code, stdout } = await runProgram(name, '--help');
      const command = program.commands.find((one) => one.name === name)!;
      expect(code).toBe(0);
      expect(stdout).toContain(command.example);
      expect(command.example).toMatch(new RegExp(`^loginmea ${name}\\b`));
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it('says how many epochs each preset has', async () => {
    const help = (await runProgram('train', '-h')).stdout.replace(/\s+/g, ' ');
    expect(help).toMatch(/--epochs <n> epochs to train \(default 600, .*own 100\)/);
  });
});

describe('its settings', () => {
  it.each(['model.rank=0', 'loss.temperature=0'])('%s is refused by name', async (setting) => {
    const { code, stderr } = await runProgram('train', '--data', 'x', '--set', setting);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: [^]*\n {2}help: /);
    expect(stderr).toContain(setting.split('=')[0]);
  });

  it('are printed with their origins', async () => {
    const explained = await runProgram('config', '--mode', 'official', '--explain');
    expect(explained.stdout).toMatch(/training\.optimizerReset +"?every-epoch"? +mode official/);
    const json = await runProgram('config', '--json', '--set', 'loss.margin=2');
    expect(JSON.parse(json.stdout)).toMatchObject({
      preset: 'dbp15k',
      mode: 'corrected',
      config: { loss: { margin: 2 } },
      origins: { 'loss.margin': '--set' },
    });
  });
});

describe('check', () => {
  it('--env says the version of this package', async () => {
    const { code, stdout } = await runProgram('check', '--env');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/@lab\/loginmea +\d/)]);
  });
});
