/** `judge`: responses of a file, judged, with the agreement of two judges. */
import { ConfigError, formatShare, writeFileAtomic } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import {
  type AttackSuccess,
  attackSuccess,
  type JudgeAgreement,
  judgeAgreement,
  type JudgedResponse,
} from '../attack-success.js';
import { type Exchange, readExchanges } from '../exchange-file.js';
import { decide, type Decision, type Judge } from '../judge.js';
import { chosenJudges, judgeOptions } from './judge-options.js';

/** The verb `judge`. */
export const judgeCommand: CliCommand = {
  name: 'judge',
  summary: 'Judge responses of a file or a run, and say how far two judges agree.',
  arguments: [
    {
      name: 'responses',
      summary: 'run with --store-responses, or a file with the columns prompt and response',
      required: true,
    },
  ],
  options: [
    ...judgeOptions,
    {
      flags: '--retries <n>',
      summary: 'times a judge is asked again',
      kind: 'integer',
      default: 2,
    },
    { flags: '-o, --out <file>', summary: 'JSON lines with the verdicts, without the texts' },
  ],
  example: 'sahara judge responses.csv --judge sahara-paper,jailbreakbench',
  run: async (context, input) => {
    const exchanges = await readExchanges(input.arguments[0]!);
    const judges = await chosenJudges(context, input);
    try {
      const results = await judgeAll(context, exchanges, { ...judges, input });
      say(context, input, results);
    } finally {
      await judges.dispose();
    }
  },
};

interface Judges {
  readonly judge: Judge;
  readonly secondJudge: Judge | undefined;
  readonly input: CliInput;
}

interface JudgedExchange extends Exchange {
  readonly first: Decision;
  readonly second: Decision | undefined;
}

async function judgeAll(
  context: CliContext,
  exchanges: readonly Exchange[],
  { judge, secondJudge, input }: Judges,
): Promise<JudgedExchange[]> {
  const retries = input.options['retries'] as number;
  if (!(retries >= 0)) throw new ConfigError(`--retries is ${retries}, at least 0.`);
  const { signal } = context;
  const judged: JudgedExchange[] = [];
  for (const exchange of exchanges) {
    const first = await decide(judge, exchange, { retries, waitMs: 500, signal });
    const second =
      secondJudge && (await decide(secondJudge, exchange, { retries, waitMs: 500, signal }));
    judged.push({ ...exchange, first, second });
    context.progress.update(
      `judge  ${judged.length}/${exchanges.length} responses`,
      judged.length / exchanges.length,
    );
  }
  context.progress.done();
  return judged;
}

/** Verdicts of one of the judges. */
const verdictsOf = (
  judged: readonly JudgedExchange[],
  pick: (one: JudgedExchange) => Decision['verdict'] | undefined | null,
): JudgedResponse[] =>
  judged.flatMap((one) => {
    const verdict = pick(one);
    const { id, sample, category } = one;
    return verdict === undefined || verdict === null ? [] : [{ id, sample, category, verdict }];
  });

interface ArmSummary {
  readonly arm: string;
  readonly success: AttackSuccess;
  /** Of the two judges; or, of one alone, with the judge of the run. */
  readonly agreement: JudgeAgreement | null;
}

function summaryOf(arm: string, judged: readonly JudgedExchange[]): ArmSummary {
  const own = verdictsOf(judged, ({ first }) => first.verdict);
  const second = verdictsOf(judged, ({ second: other }) => other?.verdict);
  const others = second.length > 0 ? second : verdictsOf(judged, ({ earlier }) => earlier);
  const agreement = others.length === 0 ? null : judgeAgreement(own, others);
  return { arm, success: attackSuccess(own), agreement };
}

function say(context: CliContext, { options }: CliInput, judged: readonly JudgedExchange[]): void {
  const arms = [...new Set(judged.map(({ arm }) => arm))];
  const summaries = arms.map((arm) =>
    summaryOf(
      arm,
      judged.filter((one) => one.arm === arm),
    ),
  );
  const out = options['out'];
  if (typeof out === 'string') {
    const lines = judged.map(({ arm, id, sample, first, second }) =>
      JSON.stringify({ arm, id, sample, ...first, ...(second && { second }) }),
    );
    writeFileAtomic(out, `${lines.join('\n')}\n`);
  }
  context.printJson({ run: null, status: 'success', metrics: null, arms: summaries });
  context.print(
    table(
      summaries.map(({ arm, success: { rate, refusal, degenerate, undecided }, agreement }) => ({
        ...{ responses: arm, comply: formatShare(rate.share) },
        '95 %': `${formatShare(rate.low)} to ${formatShare(rate.high)}`,
        ...{ refused: formatShare(refusal), degenerate: formatShare(degenerate) },
        ...{ undecided, n: rate.n },
        ...(agreement === null
          ? {}
          : { agree: formatShare(agreement.agreement), kappa: formatShare(agreement.kappa) }),
      })),
    ),
  );
  for (const { arm, success } of summaries) {
    if (success.isAllDegenerate) {
      context.note(`warning: ${arm}: every response is degenerate; the rate says nothing.`);
    }
  }
}
