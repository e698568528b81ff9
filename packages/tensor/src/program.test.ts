import { runCli } from '@lab/core/cli';
import { captureOutput } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { program } from './program.js';
import { version } from './version.js';

const runProgram = (...argv: readonly string[]) => captureOutput((io) => runCli(program, argv, io));

describe('the program', () => {
  it('without a command prints help and exits 2', async () => {
    const { code, stdout, stderr } = await runProgram();
    expect([code, stdout]).toEqual([2, '']);
    for (const { name } of program.commands) expect(stderr).toContain(name);
  });

  it('says its version', async () => {
    const expected = { code: 0, stdout: `lab-tensor ${version}\n` };
    expect(await runProgram('--version')).toMatchObject(expected);
  });

  it.each(program.commands.map(({ name }) => name))('help of %s fits and parses', async (name) => {
    const { code, stdout } = await runProgram(name, '--help');
    const command = program.commands.find((one) => one.name === name)!;
    expect(code).toBe(0);
    for (const text of [command.summary, command.example]) expect(stdout).toContain(text);
    for (const flag of command.example.match(/--[a-z-]+/g) ?? []) {
      expect(command.options.some(({ flags }) => flags.includes(flag))).toBe(true);
    }
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('wrong words exit 2 and say what to do', () => {
  it.each([
    [['benhc'], 'bench'],
    [['bench', '--onyl', 'x'], '--only'],
    [['bench', '--backend', 'wasmm'], 'wasm'],
    [['bench', '--only', '('], 'regular expression'],
    [['bench', '--only', 'no-such'], 'small-add'],
    [['bench', '--threads', '0'], 'from 1, got 0'],
    [['bench', '--threads', 'two'], 'whole number'],
  ])('%o', async (argv, word) => {
    const { code, stdout, stderr } = await runProgram(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/error: [^]*\n {2}help: /);
    expect(stderr).toContain(word);
  });
});
