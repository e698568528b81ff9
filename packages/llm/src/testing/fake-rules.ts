/**
 * Which rules of a script bear on a request.
 */
import { saltOf, scramble, shareOf } from './fake-hash.js';
import type { FakeRequest } from './fake-request.js';
import {
  answerNames,
  type FakeRule,
  type FakeRuleName,
  type FakeRuleOf,
  faultNames,
  type ParsedFakeScript,
} from './fake-script.js';

/** The rules that bear on one request: of each kind the first that matches. */
export interface ChosenRules {
  /** All that give a text, in the script's order. */
  readonly answers: readonly FakeRule[];
  /** All that stand for a failure, in the script's order. */
  readonly faults: readonly FakeRule[];
  /** The first of a kind. */
  get<N extends FakeRuleName>(name: N): FakeRuleOf<N> | undefined;
}

interface SaltedRule {
  readonly rule: FakeRule;
  readonly salt: number;
}

const noRules: ChosenRules = { answers: [], faults: [], get: () => undefined };

/** A function that chooses the rules for a request. */
export function compileRules(
  script: ParsedFakeScript,
  seed: number,
): (request: FakeRequest) => ChosenRules {
  const salted: readonly SaltedRule[] = script.rules.map((rule, index) => ({
    rule,
    salt: saltOf(`${seed}/${index}/${rule.do}`),
  }));
  if (salted.length === 0) return () => noRules;
  return (request) => choose(salted, request);
}

function choose(rules: readonly SaltedRule[], request: FakeRequest): ChosenRules {
  const answers: FakeRule[] = [];
  const faults: FakeRule[] = [];
  const first = new Map<string, FakeRule>();
  for (const item of rules) {
    if (!isMatch(item, request)) continue;
    const { rule } = item;
    if (answerNames.has(rule.do)) answers.push(rule);
    else if (faultNames.has(rule.do)) faults.push(rule);
    else if (!first.has(rule.do)) first.set(rule.do, rule);
  }
  return {
    answers,
    faults,
    get: <N extends FakeRuleName>(name: N) => first.get(name) as FakeRuleOf<N> | undefined,
  };
}

function isMatch({ rule, salt }: SaltedRule, request: FakeRequest): boolean {
  const { when } = rule;
  if (when === undefined) return true;
  if (when.endpoints !== undefined && !when.endpoints.includes(request.endpoint)) return false;
  if (when.times !== undefined && request.attempt > when.times) return false;
  if (when.from !== undefined && request.attempt < when.from) return false;
  if (when.requests !== undefined) {
    const [first, last] = when.requests;
    if (request.arrival < first || request.arrival > last) return false;
  }
  if (when.contains !== undefined && !request.prompt.includes(when.contains)) return false;
  if (when.share === undefined) return true;
  const drawn = when.draw === 'attempt' ? scramble(salt + request.attempt) : salt;
  return shareOf(request.hash, drawn) < when.share;
}
