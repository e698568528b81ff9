const stock = /, stock backend$/;

/**
 * The Markdown of benchmark records (`bench/results/*.json`): the newest record of each bench, as
 * one line on what was measured and a table. A row `<name>, stock backend` becomes a column of
 * `<name>`.
 */
export function benchmarkTables(records) {
  const newest = new Map();
  for (const record of [...records].sort((a, b) => (a.date < b.date ? -1 : 1))) {
    newest.set(record.bench, record);
  }
  return [...newest.values()].map(tableOf).join('\n\n');
}

function tableOf({ bench, date, machine, backend, unit, results }) {
  const stockOf = new Map(
    results
      .filter(({ name }) => stock.test(name))
      .map(({ name, cpuMs }) => [name.replace(stock, ''), cpuMs]),
  );
  const own = results.filter(({ name }) => !stock.test(name));
  const lost = [...stockOf.keys()].filter((name) => !own.some((row) => row.name === name));
  if (lost.length > 0) throw new Error(`${bench}: no row "${lost[0]}" beside its stock backend`);
  const columns = [
    ['task', ({ name }) => name],
    ['CPU ms', ({ cpuMs }) => cpuMs],
    ['GFLOP/s', ({ gflopPerSecond }) => gflopPerSecond],
    ['stock backend', ({ name }) => stockOf.get(name)],
  ].filter(([, read]) => own.some((row) => read(row) !== undefined));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    `\`${bench}\`, ${date}: ${unit}; ${backend}; ${machine}.`,
    '',
    line(columns.map(([label]) => label)),
    `|${'---|'.repeat(columns.length)}`,
    ...own.map((row) => line(columns.map(([, read]) => read(row) ?? ''))),
  ].join('\n');
}
