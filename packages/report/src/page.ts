import type { FileRecord } from '@lab/core';
import type { ComparisonSpec } from './comparison.js';
import type { CaptionedFigure } from './html.js';
import type { Table } from './table.js';

/** One of the numbers that matter: large, with its interval and what it is to be compared with. */
export interface BigNumber {
  readonly label: string;
  /** Numbers up to 1 are printed as shares (`.612`); give a string for another form. */
  readonly value: number | string;
  /** Ends of the 95 % interval, or the words for it. */
  readonly interval?: { readonly low: number; readonly high: number } | string;
  /** What chance or the baseline gives: "baseline .412". */
  readonly reference?: string;
}

/** A case that a reader can judge at a glance. */
export interface Example {
  readonly verdict: 'right' | 'wrong';
  /** What was asked: the source entity, the sample. */
  readonly title: string;
  /** Pairs such as "matched with", "true counterpart", "similarity". */
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** Longer text from outside; monospace, folded when long. */
  readonly text?: string;
}

/** Examples with an explaining sentence; right and wrong ones are set side by side. */
export interface ExampleSet {
  readonly text?: string;
  readonly items: readonly Example[];
}

/** A text from outside under its name, such as a prompt; monospace, folded when long. */
export interface TextBlock {
  readonly label: string;
  readonly text: string;
}

/**
 * A section of the page: text, then texts from outside, figures with a sentence each, a table,
 * examples.
 */
export interface Section {
  readonly heading: string;
  readonly text?: string;
  readonly blocks?: readonly TextBlock[];
  readonly figures?: readonly CaptionedFigure[];
  readonly table?: Table;
  readonly examples?: ExampleSet;
}

/** One setting, and where its value comes from. */
export interface SettingRow {
  readonly path: string;
  readonly value: unknown;
  /** "default", "preset dbp15k", "--seed" ... */
  readonly origin: string;
}

/** A run page, in the order in which it is read. */
export interface RunPage {
  readonly title: string;
  /** The result in one sentence. */
  readonly sentence: string;
  /** Small line above the title: method, date, machine part. */
  readonly eyebrow?: string;
  /** Three at best. */
  readonly numbers: readonly BigNumber[];
  /** The one picture that tells the result. */
  readonly mainFigure?: CaptionedFigure;
  /** Ours beside baseline, paper and reference code. */
  readonly comparison?: ComparisonSpec & { readonly text?: string };
  /** Figures and tables of the method. */
  readonly sections: readonly Section[];
  readonly examples?: ExampleSet;
  readonly cost: readonly { readonly label: string; readonly value: string }[];
  readonly settings: readonly SettingRow[];
  readonly files: readonly FileRecord[];
  /** The exact command. */
  readonly command: string;
  /** Printed under the command: versions, revision, seed. */
  readonly environment?: readonly { readonly label: string; readonly value: string }[];
  readonly warnings: readonly string[];
}
