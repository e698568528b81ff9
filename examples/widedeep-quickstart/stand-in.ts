// Stands in for a model: it names three angles, and scores answers by counting words. What it finds
// says nothing about any model; it only lets the example run without one.
import { createScriptedClient } from '@lab/llm';

const roles = `$Follows the instruction& whether it does what was asked.
$Substance& whether it says something.
$Brevity& whether it says no more than it must.`;

const words = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];
const block = (prompt: string, name: string) =>
  new RegExp(`<<<#*DATA ${name}\n([^]*?)\n#*DATA ${name}>>>`).exec(prompt)?.[1] ?? '';
const within = (score: number) => Math.max(1, Math.min(10, Math.round(score * 2) / 2));

/** A score of an answer from an angle. */
function scoreOf(answer: string, question: string, angle: string): number {
  const own = words(answer);
  const asked = new Set(words(question).filter((word) => word.length > 3));
  const shared = own.filter((word) => asked.has(word)).length;
  if (angle.includes('Brevity')) return 9 - own.length / 25;
  if (angle.includes('Substance')) return 2 + Math.sqrt(new Set(own).size);
  return 4 + (12 * shared) / (own.length + 8);
}

/** Scores in the reviews that a judge has read, first and second by turns. */
function meanOfReviews(prompt: string): readonly [number, number] | null {
  const scores = [...prompt.matchAll(/^Score of Assistant ([12]): ([\d.]+)$/gm)];
  if (scores.length === 0) return null;
  const mean = (label: string) => {
    const own = scores.filter(([, found]) => found === label).map(([, , score]) => Number(score));
    return own.reduce((sum, score) => sum + score, 0) / own.length;
  };
  return [mean('1'), mean('2')];
}

function judge(prompt: string): string {
  const question = block(prompt, 'question');
  const [, angle = ''] = /(?:this angle|these angles): (.*)\./.exec(prompt) ?? [];
  const own = ['answer1', 'answer2'].map((name) => scoreOf(block(prompt, name), question, angle));
  const heard = meanOfReviews(prompt);
  // As many models do, it likes a little better what it reads first.
  const [first, second] = own.map((score, at) =>
    within((heard === null ? score : (score + heard[at]!) / 2) + (at === 0 ? 0.3 : 0)),
  );
  const ahead = first! > second! ? 'Assistant 1' : 'Assistant 2';
  const said =
    heard === null
      ? `From the angle of ${angle.toLowerCase()}, ${ahead} is ahead.`
      : `Having read the others, I find ${ahead} ahead.`;
  return `${said}\nScore of Assistant 1: ${first}\nScore of Assistant 2: ${second}`;
}

/** A client that needs no server. */
export const standIn = createScriptedClient({
  model: 'stand-in',
  answer: ({ tag, messages }) => (tag === 'roles' ? roles : judge(messages.at(-1)!.content)),
});
