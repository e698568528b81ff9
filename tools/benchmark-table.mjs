const stock = /, stock backend$/;

/**
 * The Markdown of benchmark records (`bench/results/*.json`): the newest record of each bench, as
 * one line on what was measured and a table. A row `<name>, stock backend` becomes a column of
 * `<name>`. A record with `rows`, as `lab-tensor bench --json` prints it, has a line per operation
 * with the fastest form of its peer beside it; details are left out.
 */
export function benchmarkTables(records) {
  const newest = new Map();
  for (const record of [...records].sort((a, b) => (a.date < b.date ? -1 : 1))) {
    newest.set(record.bench, record);
  }
  const tables = [...newest.values()].map((one) => (one.rows ? rowsTable(one) : tableOf(one)));
  return tables.join('\n\n');
}

const line = (cells) => `| ${cells.join(' | ')} |`;

/** Columns that have a value in some row: `[label, read]`. */
function markdown(rows, columns) {
  const used = columns.filter(([, read]) => rows.some((row) => read(row) !== undefined));
  return [
    line(used.map(([label]) => label)),
    `|${'---|'.repeat(used.length)}`,
    ...rows.map((row) => line(used.map(([, read]) => read(row) ?? ''))),
  ].join('\n');
}

function rowsTable({ bench, date, machine, node, backend, pytorch, rows }) {
  const peerOf = (op) =>
    rows
      .filter((row) => row.op === op && row.backend === 'pytorch')
      .toSorted((a, b) => a.wallMs - b.wallMs)[0];
  const own = rows.filter((row) => row.backend !== 'pytorch' && !row.isDetail);
  const simd = backend.simd ? `, ${backend.simd} SIMD` : '';
  const peer = pytorch ? ` beside PyTorch ${pytorch.version} (its fastest form)` : '';
  const load = `load ${machine.load.start} to ${machine.load.end}`;
  const table = markdown(own, [
    ['operation', ({ op }) => `\`${op}\``],
    ['ms', ({ wallMs }) => wallMs],
    ['CPU ms', ({ cpuMs }) => cpuMs],
    ['GFLOP/s', ({ gflopPerSecond }) => gflopPerSecond],
    ['GB/s', ({ gbPerSecond }) => gbPerSecond],
    ['PyTorch ms', ({ op }) => peerOf(op)?.wallMs],
    ['form', ({ op }) => peerOf(op)?.form],
    ['ratio', ({ ratio }) => ratio],
  ]);
  return (
    `\`${bench}\`, ${date}: median of seven; ${backend.name}${simd}, ` +
    `${backend.threads} threads${peer}; ${machine.cores} x ${machine.cpu}, Node ${node}, ${load}.` +
    `\n\n${table}`
  );
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
  ];
  return `\`${bench}\`, ${date}: ${unit}; ${backend}; ${machine}.\n\n${markdown(own, columns)}`;
}
