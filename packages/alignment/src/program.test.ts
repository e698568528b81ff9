import { describe, expect, it } from 'vitest';
import { program, runProgram } from './__fixtures__/run-program.js';
import { tableMethod } from './__fixtures__/table-method.js';

describe('the program', () => {
  it('has the verbs of the house', () => {
    expect(program.commands.map(({ name }) => name).sort()).toEqual([
      'align',
      'check',
      'config',
      'demo',
      'evaluate',
      'experiment',
      'explain',
      'report',
      'review',
      'train',
    ]);
  });

  it('without a command prints help and exits 2', async () => {
    const { code, stdout, stderr } = await runProgram();
    expect([code, stdout]).toEqual([2, '']);
    for (const { name } of program.commands) expect(stderr).toContain(name);
  });

  it('says its version', async () => {
    expect(await runProgram('--version')).toMatchObject({
      code: 0,
      stdout: `table ${tableMethod.version}\n`,
    });
  });

  it.each(program.commands.map(({ name }) => name))(
    'help of %s has a sentence, flags and an example that parses',
    async (name) => {
      const { code, stdout } = await runProgram(name, '--help');
      const command = program.commands.find((one) => one.name === name)!;
      expect(code).toBe(0);
      expect(stdout).toContain(command.summary);
      expect(stdout).toContain(command.example);
      expect(command.example).toMatch(new RegExp(`^table ${name}\\b`));
      for (const flag of command.example.match(/--[a-z-]+/g) ?? []) {
        expect(
          command.options.some(({ flags }) => flags.includes(flag)),
          flag,
        ).toBe(true);
      }
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it('has the flags of train that scripts rely on', () => {
    const flags = program.commands
      .find(({ name }) => name === 'train')!
      .options.map((option) => option.flags.split(' ')[0]);
    expect(flags).toEqual(
      expect.arrayContaining([
        '--data',
        '--preset',
        '--mode',
        '--seeds',
        '--epochs',
        '--seed',
        '--backend',
        '--no-evaluate',
        '--out',
        '--resume',
        '--set',
      ]),
    );
  });
});

describe('wrong words exit 2 with the nearest right one', () => {
  it.each([
    [['trian'], 'train'],
    [['train', '--epocs', '3'], '--epochs'],
    [['train', '--preset', 'dpb15k'], 'dbp15k'],
    [['train', '--mode', 'oficial'], 'official'],
    [['train', '--set', 'loss.temprature=1'], 'loss.temperature'],
    [['train', '--backend', 'wasmm'], 'wasm'],
    [['align', '--matching', 'gredy'], 'greedy'],
    [['evaluate', 'x', '--candidates', 'al'], 'all'],
  ])('%o', async (argv, near) => {
    const { code, stdout, stderr } = await runProgram(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(near);
  });

  it.each([
    [['train'], '--data'],
    [['check'], '--data'],
    [['experiment'], '--data'],
    [['align'], '--run'],
    [['evaluate'], 'run'],
    [['train', '--epochs', 'many'], '--epochs'],
    [['train', '--data', 'x', '--set', 'loss.temperature=0'], 'loss.temperature'],
    [['train', '--data', 'x', '--set', 'model.noise=-1'], 'model.noise'],
    [['train', '--data', 'x', '--set', 'data.seedShare=2'], 'data.seedShare'],
  ])('%o names what is wrong', async (argv, word) => {
    const { code, stderr } = await runProgram(...argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: [^]*\n {2}help: /);
    expect(stderr).toContain(word);
  });
});

describe('config', () => {
  it('prints the settings, with origins on demand and as JSON', async () => {
    const plain = await runProgram('config', '--preset', 'own', '--epochs', '7');
    expect(JSON.parse(plain.stdout)).toMatchObject({
      training: { epochs: 7 },
      data: { seedShare: 1 },
    });
    const explained = await runProgram('config', '--mode', 'official', '--explain');
    expect(explained.stdout).toMatch(/model\.noise +0\.05 +mode official/);
    const json = await runProgram('config', '--json', '--set', 'loss.temperature=2');
    expect(JSON.parse(json.stdout)).toMatchObject({
      run: null,
      preset: 'dbp15k',
      mode: 'corrected',
      config: { loss: { temperature: 2 } },
      origins: { 'loss.temperature': '--set' },
    });
  });
});
