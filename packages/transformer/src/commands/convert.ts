/** `transformer convert`: a checkpoint in another format. */
import { assertWritableFolder, formatBytes, formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { type WriteProgress, writeGguf } from '../gguf/gguf-export.js';
import { assertNotThere, writeCheckpoint } from '../gguf/gguf-import.js';
import { GGUF_TYPES, type GgufType } from '../gguf/tensors-of-model.js';
import { modelArgument, requiredOption } from './model-options.js';
import { assertOutputFile } from './output-file.js';

/** The verb `convert`. */
export const convertCommand: CliCommand = {
  name: 'convert',
  summary: 'Write a checkpoint as GGUF, for llama.cpp, or a GGUF file as safetensors.',
  arguments: [modelArgument],
  options: [
    {
      flags: '--to <format>',
      summary: 'gguf: one file; safetensors: a folder with config.json and tokenizer.json',
      choices: ['gguf', 'safetensors'],
      default: 'gguf',
    },
    {
      flags: '--type <name>',
      summary: 'of matrices in GGUF; rows are f32 always',
      choices: GGUF_TYPES,
      default: 'f16',
    },
    { flags: '-o, --out <path>', summary: 'a file *.gguf, or a folder' },
    { flags: '--no-tokenizer', summary: 'leave out the tokenizer' },
    { flags: '--force', summary: 'write over what is there', kind: 'boolean' },
  ],
  example: 'transformer convert MODEL --to gguf --type q8_0 --out model.gguf',
  run: async (context, input) => {
    const out = requiredOption('convert', input, 'out');
    const { options } = input;
    if (options['force'] !== true) assertNotThere(out);
    const isGguf = options['to'] === 'gguf';
    if (isGguf) assertOutputFile('convert', out, 'model.gguf');
    else assertWritableFolder(out);
    await (isGguf ? toGguf(context, input, out) : toSafetensors(context, input, out));
  },
};

/** What both directions take. */
const common = (context: CliContext, { options }: CliInput) => ({
  tokenizer: options['tokenizer'] === false ? false : undefined,
  signal: context.signal,
  onProgress: ({ tensor, doneBytes, totalBytes }: WriteProgress) =>
    context.progress.update(
      `writing  ${tensor}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
      doneBytes / totalBytes,
    ),
});

async function toGguf(context: CliContext, input: CliInput, out: string): Promise<void> {
  const type = input.options['type'] as GgufType;
  const written = await writeGguf(input.arguments[0]!, out, { ...common(context, input), type });
  context.progress.done();
  for (const remark of written.remarks) context.note(remark);
  if (!written.hasTokenizer) context.note('without a tokenizer: its reader takes token ids alone.');
  context.printJson({ status: 'success', ...written, type });
  const { file, architecture, tensorCount, sizeBytes } = written;
  const tensors = formatCounted(tensorCount, 'tensor');
  context.print(`${file}: ${architecture}, ${tensors}, ${formatBytes(sizeBytes)}\n`);
}

async function toSafetensors(context: CliContext, input: CliInput, out: string): Promise<void> {
  const written = await writeCheckpoint(input.arguments[0]!, out, common(context, input));
  context.progress.done();
  context.printJson({ status: 'success', ...written });
  const { folder, modelType, tensorCount, sizeBytes } = written;
  const tensors = formatCounted(tensorCount, 'tensor');
  context.print(`${folder}: ${modelType}, ${tensors}, ${formatBytes(sizeBytes)}\n`);
}
