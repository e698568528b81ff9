// Stands in for a model where there is none: the first topic of which a word occurs.
import { type ChatRequest, createScriptedClient } from '@lab/llm';

const topics: readonly (readonly [topic: string, urgency: number, words: RegExp])[] = [
  ['bug', 3, /crash|error|closes|does nothing/i],
  ['billing', 2, /charged|invoice|payment/i],
  ['wish', 1, /add a|would be great/i],
  ['question', 1, /how do|where|does the/i],
];

function answer({ messages }: ChatRequest): string {
  const message = /<<<DATA text\n(.*)\nDATA text>>>/s.exec(messages[0]!.content)?.[1] ?? '';
  const found = topics.find(([, , words]) => words.test(message));
  if (!found) return '{"reason": "No topic fits.", "topic": "other", "urgency": 1}';
  const [topic, urgency, words] = found;
  const [word = ''] = words.exec(message) ?? [];
  // As untidy as models are: the topic in capitals, the number in quotes, a fence around it.
  const json = { reason: `It says "${word}".`, topic: topic.toUpperCase(), urgency: `${urgency}` };
  return `\`\`\`json\n${JSON.stringify(json)}\n\`\`\``;
}

export const standIn = createScriptedClient({ model: 'stand-in', answer });
