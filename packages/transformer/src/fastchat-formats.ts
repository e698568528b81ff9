/**
 * Formats of conversations by their names in FastChat, for checkpoints without a chat template.
 */
import { ConfigError, DataError, nearest } from '@lab/core';
import type { ChatMessage } from './chat-template.js';

/** Turns of a conversation: those of the user at even places. */
interface Conversation {
  readonly system: string | null;
  readonly turns: readonly string[];
}

type Format = (conversation: Conversation) => string;

/** Bracketed instructions: the system's text stands in the first. */
const bracketed =
  (systemOf: (system: string) => string, end: string): Format =>
  ({ system, turns }) => {
    const begin = system === null ? '[INST] ' : systemOf(system);
    const parts = turns.map((text, at) => {
      if (at === 0) return `${text} `;
      return at % 2 === 0 ? `[INST] ${text} ` : `[/INST] ${text}${end}`;
    });
    return `${begin}${parts.join('')}${turns.length % 2 === 1 ? '[/INST]' : ''}`;
  };

const formats: Readonly<Record<string, Format>> = {
  'llama-2': bracketed((system) => `[INST] <<SYS>>\n${system}\n<</SYS>>\n\n`, ' </s><s>'),
  mistral: bracketed((system) => `[INST] ${system}\n`, '</s>'),
  'llama-3': ({ system, turns }) => {
    const part = (role: string, text: string) =>
      `<|start_header_id|>${role}<|end_header_id|>\n\n${text}`;
    const said = turns.map((text, at) =>
      part(at % 2 === 0 ? 'user' : 'assistant', `${text.trim()}<|eot_id|>`),
    );
    const begin = system === null ? '' : part('system', `${system}<|eot_id|>`);
    const open = turns.length % 2 === 1 ? part('assistant', '') : '';
    return `<|begin_of_text|>${begin}${said.join('')}${open}`;
  },
  'vicuna_v1.1': ({ system, turns }) => {
    const said = turns.map((text, at) =>
      at % 2 === 0 ? `USER: ${text} ` : `ASSISTANT: ${text}</s>`,
    );
    const open = turns.length % 2 === 1 ? 'ASSISTANT:' : '';
    return `${system ?? ''} ${said.join('')}${open}`;
  },
  falcon: ({ system, turns }) => {
    const plain = (text: string) => text.replaceAll('\r\n', '\n').replaceAll('\n\n', '\n');
    const said = turns.map(
      (text, at) => `${at % 2 === 0 ? 'User' : 'Assistant'}: ${plain(text)}\n\n`,
    );
    return `${system ?? ''}${said.join('')}${turns.length % 2 === 1 ? 'Assistant:' : ''}`;
  },
};

/** Names of the formats. */
export const fastChatFormats: readonly string[] = Object.keys(formats);

/**
 * A conversation in a format of FastChat; where the user has the last word, with the header of the
 * answer. Special tokens are written out: `llama-3` begins with that of the text, so that it is
 * encoded without adding any.
 *
 * Source: lm-sys/FastChat, conversation.py, with its names. Default texts of the system are not
 * filled in: give them as the first message.
 *
 * @param messages - one of the system or none, then user and assistant in turns.
 * @throws {ConfigError} for a format that is not known.
 * @throws {DataError} for another order of roles.
 */
export function fastChatText(format: string, messages: readonly ChatMessage[]): string {
  const write = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (write === undefined) {
    const like = nearest(format, fastChatFormats);
    const hint = like === undefined ? '' : `; near: ${like}`;
    throw new ConfigError(`transformer/chat: no format is called ${format}${hint}.`, {
      help: `There are ${fastChatFormats.join(', ')}.`,
    });
  }
  const hasSystem = messages[0]?.role === 'system';
  const turns = hasSystem ? messages.slice(1) : messages;
  const wrong = turns.findIndex(({ role }, at) => role !== (at % 2 === 0 ? 'user' : 'assistant'));
  if (turns.length === 0 || wrong >= 0) {
    const got = messages.map(({ role }) => role).join(', ');
    throw new DataError(`transformer/chat: roles are ${got || 'none'}.`, {
      help: 'Give one message of the system or none, then user and assistant in turns.',
    });
  }
  return write({
    system: hasSystem ? messages[0]!.content : null,
    turns: turns.map(({ content }) => content),
  });
}
