/**
 * Concept, words, decision, refusal: on the page of a run, and of several side by side.
 */
import type { CellValue, Section, Table } from '@lab/report';
import { type Dissociation, dissociation } from '../dissociation.js';
import type { StageName, StageVerdict } from '../dissociation-stages.js';
import type { RunResults } from './read-run.js';

/** Questions in the reader's words. */
const questions: Readonly<Record<StageName, string>> = {
  concept: 'Is the class recognised?',
  words: 'Do its words come up?',
  decision: 'Does a state decide?',
  refusal: 'Is it refused?',
};

/** The same as headings. */
const headings: Readonly<Record<StageName, string>> = {
  concept: 'Recognised',
  words: 'Words',
  decision: 'Decided',
  refusal: 'Refused',
};

/** The dissociation of a run, from what is in its folder. */
export function runDissociation(
  run: Pick<RunResults, 'collection' | 'graft' | 'lens' | 'probes'>,
): Dissociation {
  const { about } = run.collection.store;
  const { probes, lens, graft } = run;
  const { classes, model } = about;
  return dissociation({ classes, layerCount: model.layerCount, probes, lens, graft });
}

/** The section of a run; none while nothing but states is there. */
export function dissociationSections(
  run: Pick<RunResults, 'collection' | 'graft' | 'lens' | 'probes'>,
): Section[] {
  if (run.probes === null && run.lens === null && run.graft === null) return [];
  const found = runDissociation(run);
  return [
    {
      heading: 'Concept, words, refusal',
      text: `${found.conclusion} Asked of ${found.refused} prompts, beside ${found.answered} ones.`,
      table: stageTable(found),
    },
  ];
}

/** Verdicts as answers. */
const answers: Readonly<Record<StageVerdict, string>> = {
  present: 'yes',
  absent: 'no',
  unclear: 'unclear',
  'not measured': 'not measured',
};

function stageTable({ stages }: Dissociation): Table {
  return {
    caption: 'Answers hold at 95 %; the numbers behind them stand in dissociation.json',
    columns: [
      { key: 'question', label: 'Question' },
      { key: 'verdict', label: 'Answer' },
      { key: 'state', label: 'From state', kind: 'count' },
    ],
    rows: stages.map(({ stage, verdict, firstState, evidence }) => ({
      question: { value: questions[stage], note: evidence },
      verdict: answers[verdict],
      state: firstState ?? { value: null, note: stage === 'refusal' ? 'not by state' : 'none' },
    })),
  };
}

/** A run under its name. */
export interface NamedDissociation {
  readonly name: string;
  readonly found: Dissociation;
}

/** Verdicts of several runs: a checkpoint that lost a link stands out. */
export function dissociationTable(runs: readonly NamedDissociation[]): Table {
  const names = Object.keys(headings) as StageName[];
  return {
    caption: 'Answers of each run, and the first state; see the page of each run',
    columns: [
      { key: 'name', label: 'Run' },
      ...names.map((name) => ({ key: name, label: headings[name] })),
    ],
    rows: runs.map(({ name, found }) => ({
      name,
      ...Object.fromEntries(
        found.stages.map(({ stage, verdict, firstState }): [string, CellValue] => [
          stage,
          firstState === null
            ? answers[verdict]
            : { value: answers[verdict], note: `state ${firstState}` },
        ]),
      ),
    })),
  };
}
