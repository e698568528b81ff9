/**
 * Formats of conversations by their names in FastChat, for checkpoints without a chat template.
 */
import { ConfigError, DataError, nearest } from '@lab/core';
import type { ChatMessage } from './chat-template.js';
import { strippedText } from './stripped-text.js';

/** Turns of a conversation: those of the user at even places. */
interface Conversation {
  /** Empty for none. */
  readonly system: string;
  /** One without a text opens the answer: its header stands alone, wherever it is. */
  readonly turns: readonly string[];
}

type Format = (conversation: Conversation) => string;

/** Bracketed instructions: the system's text stands in the first. */
const bracketed =
  (systemOf: (system: string) => string, end: string): Format =>
  ({ system, turns }) => {
    const begin = system === '' ? '[INST] ' : systemOf(system);
    const parts = turns.map((text, at) => {
      const tag = at % 2 === 0 ? '[INST]' : '[/INST]';
      if (text === '') return tag;
      return at === 0 ? `${text} ` : `${tag} ${text}${at % 2 === 0 ? ' ' : end}`;
    });
    return `${begin}${parts.join('')}`;
  };

const formats: Readonly<Record<string, Format>> = {
  'llama-2': bracketed((system) => `[INST] <<SYS>>\n${system}\n<</SYS>>\n\n`, ' </s><s>'),
  mistral: bracketed((system) => `[INST] ${system}\n`, '</s>'),
  'llama-3': ({ system, turns }) => {
    const part = (role: string, text: string) =>
      `<|start_header_id|>${role}<|end_header_id|>\n\n${text}`;
    const said = turns.map((text, at) => {
      const role = at % 2 === 0 ? 'user' : 'assistant';
      return part(role, text === '' ? '' : `${strippedText(text)}<|eot_id|>`);
    });
    const begin = system === '' ? '' : part('system', `${system}<|eot_id|>`);
    return `<|begin_of_text|>${begin}${said.join('')}`;
  },
  'vicuna_v1.1': ({ system, turns }) => {
    const said = turns.map((text, at) => {
      const role = at % 2 === 0 ? 'USER:' : 'ASSISTANT:';
      return text === '' ? role : `${role} ${text}${at % 2 === 0 ? ' ' : '</s>'}`;
    });
    return `${system} ${said.join('')}`;
  },
  falcon: ({ system, turns }) => {
    const plain = (text: string) => text.replaceAll('\r\n', '\n').replaceAll('\n\n', '\n');
    const said = turns.map((text, at) => {
      const role = at % 2 === 0 ? 'User:' : 'Assistant:';
      return text === '' ? role : `${role} ${plain(text)}\n\n`;
    });
    return `${system}${said.join('')}`;
  },
};

/** Names of the formats. */
export const fastChatFormats: readonly string[] = Object.keys(formats);

/**
 * A conversation in a format of FastChat; where the user has the last word, with the header of the
 * answer. Special tokens are written out: `llama-3` begins with that of the text, so that it is
 * encoded without adding any.
 *
 * Source: lm-sys/FastChat, conversation.py (0.2.36; llama-3 as added in #3259), with its names.
 * Default texts of the system are not filled in: give them as the first message. As there, an empty
 * text of a turn writes its header alone, and an empty text of the system is none.
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
  const texts = turns.map(({ content }) => content);
  return write({
    system: hasSystem ? messages[0]!.content : '',
    turns: texts.length % 2 === 1 ? [...texts, ''] : texts,
  });
}
