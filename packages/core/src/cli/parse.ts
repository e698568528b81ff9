import { Argument, Command, CommanderError, Option } from 'commander';
import { unknownName } from '../config-problem.js';
import { ConfigError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { CliCommand, CliDefinition, CliInput, CliOption } from './definition.js';
import { usageOf } from './help.js';

/** A command line that was understood. */
export interface ParsedCommand {
  readonly command: CliCommand;
  readonly input: CliInput;
}

/**
 * The command and its input, from the arguments after the program's name.
 *
 * @throws {ConfigError} for an unknown command or flag (with the nearest name), a missing or extra
 *   argument, and a value of the wrong kind.
 */
export function parseArguments(definition: CliDefinition, argv: readonly string[]): ParsedCommand {
  let parsed: ParsedCommand | undefined;
  const program = quietCommand(definition.name);
  for (const flag of ['--json', '--quiet', '--debug']) program.option(flag);
  for (const command of definition.commands) {
    const child = quietCommand(command.name);
    for (const argument of command.arguments ?? []) child.addArgument(toArgument(argument));
    for (const option of command.options) child.addOption(toOption(option));
    child.action(() => {
      const input = { arguments: [...child.args], options: child.opts() };
      parsed = { command, input };
    });
    program.addCommand(child);
  }
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(definition, argv, error);
  }
  if (!parsed) throw new ConfigError('no command given.', { help: helpHint(definition) });
  return parsed;
}

function quietCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .helpOption(false)
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
}

function toArgument(argument: NonNullable<CliCommand['arguments']>[number]): Argument {
  const name = argument.variadic === true ? `${argument.name}...` : argument.name;
  return new Argument(argument.required === false ? `[${name}]` : `<${name}>`);
}

function toOption(option: CliOption): Option {
  const made = new Option(option.flags, option.summary);
  if (option.default !== undefined) made.default(option.default);
  if (made.required || made.optional) {
    let list: string[] | undefined;
    made.argParser((text: string): unknown => {
      if (option.kind !== 'list' && option.kind !== 'repeated') return parseValue(option, text);
      // Blanks around commas mean nothing; those of a value that stands alone do.
      const parts = option.kind === 'list' ? text.split(',').map((part) => part.trim()) : [text];
      list = [...(list ?? []), ...parts.map((part) => String(parseValue(option, part)))];
      return list;
    });
  }
  return made;
}

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function parseValue(option: CliOption, text: string): unknown {
  const flag = longFlag(option.flags);
  if (option.choices && !option.choices.includes(text)) {
    throw unknownName('value', text, { candidates: option.choices, where: flag });
  }
  if (option.kind === 'integer') {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw wrongValue(flag, text, 'a whole number');
  }
  if (option.kind === 'number') {
    if (numberPattern.test(text)) return Number(text);
    throw wrongValue(flag, text, 'a number');
  }
  return text;
}

function wrongValue(flag: string, text: string, kind: string): ConfigError {
  return new ConfigError(`${flag} needs ${kind}, got ${JSON.stringify(text)}.`, {
    help: `write ${flag} and ${kind}.`,
  });
}

function longFlag(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function helpHint(definition: CliDefinition, command?: CliCommand): string {
  return command
    ? `usage: ${usageOf(definition, command)}; "${definition.name} ${command.name} -h" shows more.`
    : `"${definition.name} -h" shows the commands.`;
}

/** The command that the arguments name, if any. */
export function findCommand(
  definition: CliDefinition,
  argv: readonly string[],
): CliCommand | undefined {
  const word = argv.find((text) => !text.startsWith('-'));
  return definition.commands.find((command) => command.name === word);
}

function usageError(
  definition: CliDefinition,
  argv: readonly string[],
  error: CommanderError,
): ConfigError {
  const command = findCommand(definition, argv);
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  if (error.code === 'commander.unknownCommand' || (!command && error.code !== unknownOption)) {
    return unknownCommand(definition, argv);
  }
  if (error.code === unknownOption) return unknownFlag(definition, command, quoted);
  const message = error.message.replace(/^error: /, '').replace(/\.?$/, '.');
  return new ConfigError(message, { help: helpHint(definition, command) });
}

const unknownOption = 'commander.unknownOption';

function unknownCommand(definition: CliDefinition, argv: readonly string[]): ConfigError {
  const word = argv.find((text) => !text.startsWith('-'));
  if (word === undefined)
    return new ConfigError('no command given.', { help: helpHint(definition) });
  const candidates = definition.commands.map((command) => command.name);
  return unknownName('command', word, { candidates });
}

function unknownFlag(
  definition: CliDefinition,
  command: CliCommand | undefined,
  flag: string,
): ConfigError {
  const own = command?.options.map((option) => longFlag(option.flags)) ?? [];
  const close = nearest(flag.replace(/=.*$/, ''), [
    ...own,
    '--json',
    '--quiet',
    '--debug',
    '--help',
  ]);
  const where = command ? `${definition.name} ${command.name}` : definition.name;
  return new ConfigError(`unknown flag ${flag} of ${where}.`, {
    help: close === undefined ? helpHint(definition, command) : `did you mean ${close}?`,
    details: { flag, ...(close === undefined ? {} : { nearest: close }) },
  });
}
