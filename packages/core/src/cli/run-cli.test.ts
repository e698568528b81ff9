import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, ModelError } from '../errors.js';
import type { CliCommand, CliContext, CliDefinition, CliInput, CliIo } from './definition.js';
import { runCli } from './run-cli.js';

type Work = (context: CliContext, input: CliInput) => Promise<number | void> | number | void;

function program(work: Work = () => undefined): CliDefinition {
  const train: CliCommand = {
    name: 'train',
    summary: 'Trains a model.',
    options: [
      {
        flags: '--epochs <n>',
        summary: 'epochs to train',
        topic: 'training',
        kind: 'integer',
        default: 300,
        unit: 'epochs',
      },
      { flags: '--rate <x>', summary: 'learning rate', topic: 'training', kind: 'number' },
      {
        flags: '--backend <name>',
        summary: 'machine part',
        choices: ['auto', 'wasm'],
        default: 'auto',
      },
      { flags: '-o, --out <dir>', summary: 'folder of the runs' },
      { flags: '--no-evaluate', summary: 'no evaluation' },
      { flags: '--names <list>', summary: 'names', kind: 'list', default: ['x'] },
      { flags: '--set <path=value>', summary: 'one setting', kind: 'repeated' },
    ],
    example: 'demo train --epochs 3',
    run: async (context, input) => work(context, input),
  };
  const align: CliCommand = {
    name: 'align',
    summary: 'Aligns two graphs.',
    arguments: [
      { name: 'source', summary: 'first graph' },
      { name: 'others', summary: 'other graphs', required: false, variadic: true },
    ],
    options: [],
    example: 'demo align a/ b/',
    run: async (context, input) => work(context, input),
  };
  return {
    name: 'demo',
    summary: 'shows the skeleton',
    version: '1.2.3',
    commands: [train, align],
  };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function call(
  argv: readonly string[],
  work?: Work,
  env: CliIo['env'] = {},
): Promise<Outcome> {
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (part: string) => {
      text[name] += part;
    },
  });
  const io: CliIo = { stdout: stream('stdout'), stderr: stream('stderr'), env };
  const code = await runCli(program(work), argv, io);
  return { code, ...text };
}

describe('help', () => {
  it('of a verb has the sentence, usage, topics, defaults, units and the example', async () => {
    const { code, stdout, stderr } = await call(['train', '-h']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Trains a model\.\n\nusage: demo train \[options\]\n/);
    expect(stdout).toContain('\ntraining\n  --epochs <n>  epochs to train (epochs; default 300)\n');
    expect(stdout).toContain('machine part (auto | wasm; default auto)');
    expect(stdout).toContain('one setting (may be repeated)');
    expect(stdout).toContain('--json ');
    expect(stdout.endsWith('\nexample\n  demo train --epochs 3\n')).toBe(true);
  });

  it.each([[['--help']], [['help']], [['-h', '--quiet']]])('of the program: %j', async (argv) => {
    const { code, stdout } = await call(argv);
    expect(code).toBe(0);
    expect(stdout).toContain('usage: demo <command> [options]');
    expect(stdout).toContain('  train  Trains a model.\n  align  Aligns two graphs.\n');
  });

  it('names arguments and works as "help <verb>"', async () => {
    const { stdout } = await call(['help', 'align']);
    expect(stdout).toContain('usage: demo align <source> [others...] [options]');
    expect(stdout).toContain('arguments\n  source  first graph\n  others  other graphs\n');
    expect((await call(['help', 'algin'])).code).toBe(2);
  });

  it('keeps to the width', async () => {
    const { stdout } = await call(['train', '-h'], undefined, { COLUMNS: '60' });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('without a command goes to stderr with exit code 2', async () => {
    const { code, stdout, stderr } = await call([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('usage: demo <command>');
    const json = await call(['--json']);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 'error' });
  });

  it('prints the version', async () => {
    expect(await call(['--version'])).toMatchObject({ code: 0, stdout: 'demo 1.2.3\n' });
  });
});

describe('arguments', () => {
  async function inputOf(argv: readonly string[]): Promise<CliInput> {
    let seen: CliInput | undefined;
    const { code, stderr } = await call(argv, (_, input) => {
      seen = input;
    });
    expect([code, stderr]).toEqual([0, '']);
    if (!seen) throw new Error('the command did not run');
    return seen;
  }

  it('get defaults and kinds', async () => {
    expect((await inputOf(['train'])).options).toEqual({
      epochs: 300,
      backend: 'auto',
      evaluate: true,
      names: ['x'],
    });
    const argv = ['train', '--epochs=5', '--rate', '-1e-3', '-o', 'runs', '--no-evaluate'];
    expect((await inputOf(argv)).options).toMatchObject({
      epochs: 5,
      rate: -1e-3,
      out: 'runs',
      evaluate: false,
    });
  });

  it('keep lists and repeated flags', async () => {
    const argv = ['train', '--names', 'a,b', '--names', 'c', '--set', 'x=[1,2]', '--set', 'y=2'];
    expect((await inputOf(argv)).options).toMatchObject({
      names: ['a', 'b', 'c'],
      set: ['x=[1,2]', 'y=2'],
    });
  });

  it('pass what follows the verb', async () => {
    expect((await inputOf(['align', 'a', 'b', 'c'])).arguments).toEqual(['a', 'b', 'c']);
    expect((await inputOf(['--quiet', 'align', '--', '-a'])).arguments).toEqual(['-a']);
  });

  it.each<[string[], string, string]>([
    [['trian'], 'unknown command "trian"', 'did you mean train?'],
    [['zzz'], 'unknown command "zzz"', 'commands are: train, align.'],
    [['train', '--epocs', '3'], 'unknown flag --epocs of demo train', 'did you mean --epochs?'],
    [['train', '--jsno'], 'unknown flag --jsno', 'did you mean --json?'],
    [['train', '--zzz=1'], 'unknown flag --zzz', '"demo train -h" shows more'],
    [['--zzz'], 'unknown flag --zzz of demo', '"demo -h" shows the commands'],
    [['train', '--epochs', '1.5'], '--epochs needs a whole number, got "1.5"', 'write --epochs'],
    [['train', '--rate', 'fast'], '--rate needs a number, got "fast"', 'write --rate'],
    [['train', '--backend', 'wsam'], '--backend: unknown value "wsam"', 'did you mean wasm?'],
    [['train', '--epochs'], "option '--epochs <n>' argument missing", 'usage: demo train'],
    [['align'], "missing required argument 'source'", 'usage: demo align <source>'],
    [['train', 'extra'], 'too many arguments', 'usage: demo train'],
  ])('%j are refused with exit code 2', async (argv, message, help) => {
    const { code, stdout, stderr } = await call(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: .*\n {2}help: .*\n$/);
    expect(stderr).toContain(message);
    expect(stderr).toContain(help);
  });
});

describe('output', () => {
  it('puts results on stdout and remarks on stderr', async () => {
    const outcome = await call(['train'], ({ print, note, logger, progress }) => {
      note('reading');
      progress.update('epoch 1', 0.1);
      logger.warn('odd');
      logger.debug('hidden');
      progress.done();
      print('H@1 .612');
    });
    expect(outcome).toEqual({
      code: 0,
      stdout: 'H@1 .612\n',
      stderr: 'reading\nepoch 1\nwarning: odd\n',
    });
  });

  it('--quiet silences remarks, progress and warnings, not the result', async () => {
    const outcome = await call(['train', '--quiet'], ({ print, note, logger, progress }) => {
      note('reading');
      progress.update('epoch 1', 0.1);
      logger.warn('odd');
      logger.info('also');
      progress.done('end');
      print('result');
    });
    expect(outcome).toEqual({ code: 0, stdout: 'result\n', stderr: '' });
  });

  it('--json gives exactly one object', async () => {
    const work: Work = ({ print, printJson }) => {
      print('for people');
      printJson({ status: 'success', metrics: { mrr: 0.5 } });
    };
    const { stdout } = await call(['--json', 'train'], work);
    expect(stdout).toBe('{"status":"success","metrics":{"mrr":0.5}}\n');
    expect((await call(['train'], work)).stdout).toBe('for people\n');
    expect((await call(['train', '--json'])).stdout).toBe(
      '{"run":null,"status":"success","metrics":null}\n',
    );
    const named = await call(['train', '--json'], ({ setRun }) => setRun('runs/1'));
    expect(JSON.parse(named.stdout)).toEqual({ run: 'runs/1', status: 'success', metrics: null });
  });

  it('--json of a command that fails after its result holds the error only', async () => {
    const { code, stdout } = await call(['train', '--json'], ({ printJson }) => {
      printJson({ status: 'success' });
      throw new ModelError('loss is NaN', { details: { run: 'runs/2' } });
    });
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toEqual({
      run: 'runs/2',
      status: 'error',
      metrics: null,
      error: { code: 'LAB_MODEL', message: 'loss is NaN', help: null },
    });
  });

  it('--json of a server is written at once and only once', async () => {
    const { stdout } = await call(['train', '--json'], ({ printJson }) => {
      printJson({ url: 'http://127.0.0.1' }, { immediately: true });
    });
    expect(stdout).toBe('{"url":"http://127.0.0.1"}\n');
    const twice = await call(['train', '--json'], ({ printJson }) => {
      printJson(1);
      printJson(2);
    });
    expect(twice.code).toBe(1);
    expect(twice.stdout).toContain('called twice');
  });

  it('gives the exit code that the command returns', async () => {
    expect((await call(['train'], () => 8)).code).toBe(8);
  });
});

describe('errors', () => {
  const badLine = new DataError('triples_1 line 3: entity id "x7" is not an integer.', {
    file: 'triples_1',
    line: 3,
    column: 4,
    text: '12\tx7\t4',
    help: 'write a whole number.',
  });

  function failing(error: unknown): Work {
    return () => {
      throw error;
    };
  }

  it('show the line with a mark under the place', async () => {
    const { code, stderr } = await call(['train'], failing(badLine));
    expect(code).toBe(3);
    expect(stderr).toBe(
      [
        'error: triples_1 line 3: entity id "x7" is not an integer.',
        '  | 12 x7 4',
        '  |    ^',
        '  help: write a whole number.',
        '',
      ].join('\n'),
    );
  });

  it('cut long lines around the place and disarm control characters', async () => {
    const text = `${'a'.repeat(300)}\u001b[31mX${'b'.repeat(300)}`;
    const error = new DataError('bad \u001b[2J', { text, column: 306 });
    const { stderr } = await call(['train'], failing(error));
    const [message = '', line = '', mark = ''] = stderr.split('\n');
    expect(message).toBe('error: bad ?[2J');
    expect(line.length).toBeLessThanOrEqual(86);
    expect(line[mark.indexOf('^')]).toBe('X');
    expect(stderr).not.toContain('\u001b');
  });

  it('show the stack, causes, versions and facts with --debug only', async () => {
    const error = new ConfigError('bad', { cause: new RangeError('deep') });
    const work: Work = ({ addFact }) => {
      addFact('backend', 'wasm');
      throw error;
    };
    expect((await call(['train'], work)).stderr).toBe('error: bad\n');
    const { stderr } = await call(['train', '--debug'], work);
    for (const part of ['run-cli.test', 'caused by: RangeError', 'demo: 1.2.3', 'backend: wasm']) {
      expect(stderr).toContain(part);
    }
    expect(stderr).toContain(`node: ${process.versions.node}`);
  });

  it('of our own are called internal', async () => {
    const { code, stderr, stdout } = await call(['train', '--json'], failing(new TypeError('x')));
    expect(code).toBe(1);
    expect(stderr).toContain('error: internal error: x\n  help: this is a defect of the program');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'error', error: { code: 'LAB_INTERNAL' } });
    expect((await call(['train'], failing('a text'))).stderr).toContain('internal error: a text');
  });
});

describe('colour', () => {
  const fail: Work = () => {
    throw new ConfigError('bad');
  };
  const red = '\u001b[31merror:\u001b[39m';

  it.each<[CliIo['env'], boolean]>([
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('with %j: %s', async (env, isColoured) => {
    const { stderr } = await call(['train'], fail, env);
    expect(stderr.includes(red)).toBe(isColoured);
  });
});
