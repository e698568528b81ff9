// Stands in for a model: more particulars and a word of regret make a better reply. What it finds
// says nothing about any model; it only lets the example run without one.
import { createScriptedClient } from '@lab/llm';

const roles = '$Help& whether the customer knows what to do.\n$Tone& whether it is kind.';
const kind = /sorry|please|thank|pity|i have|i am|i will/gi;
const particular = /\d+|settings|account|email|tomorrow|today|under|between|because|until/gi;

const block = (prompt: string, name: string) =>
  new RegExp(`<<<#*DATA ${name}\n([^]*?)\n#*DATA ${name}>>>`).exec(prompt)?.[1] ?? '';
const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

function scoreOf(reply: string, angle: string): number {
  const score = angle.includes('Tone')
    ? 4 + 2 * count(reply, kind)
    : 3 + 1.5 * count(reply, particular) + reply.length / 60;
  return Math.max(1, Math.min(10, Math.round(score)));
}

function judge(prompt: string): string {
  const [, angle = ''] = /(?:this angle|these angles): (.*?)\./.exec(prompt) ?? [];
  const [first, second] = ['answer1', 'answer2'].map((name) => scoreOf(block(prompt, name), angle));
  const ahead = first === second ? 'Neither' : first! > second! ? 'Assistant 1' : 'Assistant 2';
  const said = `${ahead} does better in ${angle.toLowerCase()}.`;
  return `${said}\nScore of Assistant 1: ${first}\nScore of Assistant 2: ${second}`;
}

/** A client that needs no server. */
export const standIn = createScriptedClient({
  model: 'stand-in',
  answer: ({ tag, messages }) => (tag === 'roles' ? roles : judge(messages.at(-1)!.content)),
});
