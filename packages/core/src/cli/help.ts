import type { CliCommand, CliDefinition, CliOption } from './definition.js';

const globalOptions: readonly CliOption[] = [
  { flags: '--json', summary: 'print one JSON object on stdout', topic: 'output' },
  { flags: '--quiet', summary: 'no progress and no remarks', topic: 'output' },
  { flags: '--debug', summary: 'with an error: stack, versions and backend', topic: 'output' },
  { flags: '-h, --help', summary: 'show this help', topic: 'output' },
];

/** The help of a whole program: summary, usage, commands, example. */
export function programHelp(definition: CliDefinition, width: number): string {
  const { name, summary, version, commands } = definition;
  const rows = commands.map((command): Row => [command.name, command.summary]);
  const example = commands.find((command) => command.name === 'demo') ?? commands[0];
  return [
    `${name} ${version}: ${summary}`,
    '',
    `usage: ${name} <command> [options]`,
    '',
    'commands',
    ...columns(rows, width),
    '',
    'output',
    ...columns(globalOptions.map(optionRow), width),
    '',
    ...(example ? ['example', `  ${example.example}`, ''] : []),
    `"${name} <command> -h" shows the options of a command.`,
    '',
  ].join('\n');
}

/** The help of one command: sentence, usage, arguments, flags in topics, example. */
export function commandHelp(definition: CliDefinition, command: CliCommand, width: number): string {
  const lines = [command.summary, '', `usage: ${usageOf(definition, command)}`];
  const args = command.arguments ?? [];
  if (args.length > 0) {
    const rows = args.map((argument): Row => [argument.name, argument.summary]);
    lines.push('', 'arguments', ...columns(rows, width));
  }
  for (const [topic, options] of topicsOf([...command.options, ...globalOptions])) {
    lines.push('', topic, ...columns(options.map(optionRow), width));
  }
  return [...lines, '', 'example', `  ${command.example}`, ''].join('\n');
}

/** One line: how a command is called. */
export function usageOf(definition: CliDefinition, command: CliCommand): string {
  const args = (command.arguments ?? []).map((argument) => {
    const name = argument.variadic === true ? `${argument.name}...` : argument.name;
    return argument.required === false ? `[${name}]` : `<${name}>`;
  });
  return [definition.name, command.name, ...args, '[options]'].join(' ');
}

function topicsOf(options: readonly CliOption[]): Map<string, CliOption[]> {
  const topics = new Map<string, CliOption[]>();
  for (const option of options) {
    const topic = option.topic ?? 'options';
    topics.set(topic, [...(topics.get(topic) ?? []), option]);
  }
  return topics;
}

type Row = [left: string, right: string];

function optionRow(option: CliOption): Row {
  const remarks: string[] = [];
  if (option.choices) remarks.push(option.choices.join(' | '));
  if (option.unit !== undefined) remarks.push(option.unit);
  if (option.kind === 'repeated') remarks.push('may be repeated');
  if (option.default !== undefined && option.default !== false) {
    remarks.push(`default ${showDefault(option.default)}`);
  }
  const extra = remarks.length > 0 ? ` (${remarks.join('; ')})` : '';
  return [option.flags, option.summary + extra];
}

function showDefault(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return String(value);
}

/** Two columns; the right one is wrapped to the width. */
function columns(rows: readonly Row[], width: number): string[] {
  const left = Math.min(30, Math.max(...rows.map(([text]) => text.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(24, width - left - 4));
    const isLong = name.length > left;
    const first = isLong ? [`  ${name}`] : [];
    const rest = lines.map((line, index) => {
      const head = index === 0 && !isLong ? name : '';
      return `  ${head.padEnd(left)}  ${line}`;
    });
    return [...first, ...rest];
  });
}

/** Breaks a text into lines of at most `width` characters, at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
