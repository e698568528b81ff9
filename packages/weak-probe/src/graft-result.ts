/**
 * Grafts over a set of recipients: the sweep, whole responses, and what they come to.
 */
import type { GraftPoint } from './graft-sweep.js';
import type { GraftSource } from './graft-vectors.js';
import type { ResponseShares } from './responses.js';
import type { TokenTable } from './token-table.js';

/** Prompts of a side. */
export interface GraftSide {
  readonly label: string;
  /** Ids of the prompts. */
  readonly prompts: readonly string[];
}

/** A token that opens responses. */
export interface OpeningToken {
  readonly id: number;
  readonly text: string;
}

/** Whole responses under a graft, or without. */
export interface GraftedResponseShares extends ResponseShares {
  /** Null without a graft. */
  readonly state: number | null;
  readonly source: GraftSource | 'none';
}

/** What becomes of prompts without a graft. */
export interface BesideResult extends Omit<GraftPoint, 'kl' | 'source' | 'state'> {
  readonly label: string;
  /** Null unless they were asked for. */
  readonly responses: ResponseShares | null;
}

/** What `weak-probe graft` writes. */
export interface GraftResult {
  readonly model: { readonly path: string; readonly fingerprint: string };
  readonly donors: GraftSide;
  readonly recipients: GraftSide;
  /** The class that is to be refused: the recipients', or with `--reverse` the donors'. */
  readonly refused: string;
  readonly settings: {
    readonly semantics: 'clean' | 'official';
    readonly share: number;
    readonly isNormMatched: boolean;
    readonly steps: number;
    readonly context: 'fresh' | 'kept';
    /** From the end of the prompt. */
    readonly positions: readonly number[];
  };
  readonly openings: {
    /** Best first tokens of both classes, or texts that the user named. */
    readonly origin: 'measured' | 'named';
    readonly refusal: readonly OpeningToken[];
    readonly compliance: readonly OpeningToken[];
  };
  readonly points: readonly GraftPoint[];
  /** Prompts of another class as they are, such as attacks; null unless one was named. */
  readonly beside: BesideResult | null;
  /** Where donors move the gap most beyond controls. */
  readonly bestState: number;
  /** Null unless they were asked for. */
  readonly responses: readonly GraftedResponseShares[] | null;
  /** The lens of recipients without and with the graft of the best state; null unless asked for. */
  readonly lens: { readonly without: TokenTable; readonly with: TokenTable } | null;
}

/** What a state's donors do beyond its controls. */
export interface GraftEffect {
  readonly state: number;
  /** Gap under the donors minus that without a graft, nats. */
  readonly effect: number;
  /** The largest such difference of a control, without its sign; 0 without controls. */
  readonly control: number;
}

/** Sources that are donors; all others are controls. */
const donorSources: readonly string[] = ['mean', 'nearest', 'single', 'random-donor'];

/** Effects of the first donor source, state by state. */
export function graftEffects(points: readonly GraftPoint[]): GraftEffect[] {
  const none = points.find(({ source }) => source === 'none')?.gap ?? Number.NaN;
  const first = points.find(({ source }) => donorSources.includes(source))?.source;
  return points.flatMap((point) => {
    if (point.source !== first || point.state === null) return [];
    const controls = points.filter(
      ({ source, state }) =>
        state === point.state && source !== 'none' && !donorSources.includes(source),
    );
    const sizes = controls.map(({ gap }) => Math.abs(gap - none));
    return [{ state: point.state, effect: point.gap - none, control: Math.max(0, ...sizes) }];
  });
}

/**
 * The state where donors move the gap most beyond controls; of equal ones the first. Not the one
 * behind all blocks, unless it is the only one: there a graft replaces what the output reads, and
 * says nothing of the model.
 */
export function bestState(points: readonly GraftPoint[], layerCount: number): number {
  const all = graftEffects(points);
  const inside = all.filter(({ state }) => state < layerCount);
  const effects = inside.length === 0 ? all : inside;
  const beyond = ({ effect, control }: GraftEffect) => Math.abs(effect) - control;
  return effects.reduce((best, one) => (beyond(one) > beyond(best) ? one : best), effects[0]!)
    .state;
}
