/**
 * Log probabilities of tokens, made up but always the same.
 */
import { shareOf, saltOf } from './fake-hash.js';
import { splitTokens } from './fake-tokens.js';

/** One alternative of a token. */
export interface FakeAlternative {
  readonly token: string;
  readonly logprob: number;
}

/** A token of an answer with the alternatives that were asked for. */
export interface FakeTokenLogprob extends FakeAlternative {
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly (FakeAlternative & { readonly bytes: readonly number[] })[];
}

/** What a script says of some tokens: alternatives with their probabilities. */
export type FakeAlternatives = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The tokens of a text with log probabilities; `count` alternatives for each. */
export function logprobsOf(
  text: string,
  count: number,
  scripted: FakeAlternatives,
): FakeTokenLogprob[] {
  return splitTokens(text).map((token) => tokenLogprob(token, count, scripted));
}

function tokenLogprob(token: string, count: number, scripted: FakeAlternatives): FakeTokenLogprob {
  const bare = token.trimStart();
  const space = token.slice(0, token.length - bare.length);
  const given = scripted[bare];
  const alternatives =
    given === undefined
      ? madeUp(token)
      : Object.entries(given).map(([name, share]) => alternative(space + name, share));
  alternatives.sort((a, b) => b.logprob - a.logprob);
  const own = alternatives.find((item) => item.token === token) ?? alternative(token, 1e-9);
  return {
    token,
    logprob: own.logprob,
    bytes: bytesOf(token),
    top_logprobs: alternatives
      .slice(0, count)
      .map((item) => ({ ...item, bytes: bytesOf(item.token) })),
  };
}

function madeUp(token: string): FakeAlternative[] {
  const sure = 0.5 + 0.45 * shareOf('00000000', saltOf(token));
  const made = [alternative(token, sure)];
  for (let rank = 1; rank < 20; rank += 1) {
    made.push(alternative(`${token}~${rank}`, ((1 - sure) / 2) * 0.5 ** (rank - 1)));
  }
  return made;
}

function alternative(token: string, share: number): FakeAlternative {
  return { token, logprob: share > 0 ? Math.log(share) : -9999 };
}

function bytesOf(text: string): number[] {
  return [...Buffer.from(text)];
}
