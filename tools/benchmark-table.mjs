const stock = /, stock backend$/;

/**
 * The Markdown of benchmark records (`bench/results/*.json`): the newest record of each bench, as
 * one line on what was measured and a table. A row `<name>, stock backend` becomes a column of
 * `<name>`. Records with `rows`, as `lab-tensor bench --json` prints them, make one table: a line
 * per operation, for each backend its time and the ratio to the fastest form of its peer; details
 * are left out.
 */
export function benchmarkTables(records) {
  const newest = new Map();
  for (const record of [...records].sort((a, b) => (a.date < b.date ? -1 : 1))) {
    newest.set(`${record.bench} ${record.rows ? record.backend.name : ''}`, record);
  }
  const found = [...newest.values()];
  const withRows = found.filter(({ rows }) => rows);
  return [
    ...(withRows.length > 0 ? [rowsTable(withRows)] : []),
    ...found.filter(({ rows }) => !rows).map(tableOf),
  ].join('\n\n');
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

/** How the kernels of a backend run, in words. */
const kernelsText = (simd) => (simd === 'native' ? 'machine code' : `${simd} SIMD`);

function titleOf({ bench, date, machine, node, backend, pytorch }) {
  const kernels = backend.simd ? `, ${kernelsText(backend.simd)}` : '';
  const peer = pytorch ? ` beside PyTorch ${pytorch.version} (its fastest form)` : '';
  const load = `load ${machine.load.start} to ${machine.load.end}`;
  return (
    `\`${bench}\`, ${date}: median of seven; ${backend.name}${kernels}, ` +
    `${backend.threads} threads${peer}; ${machine.cores} x ${machine.cpu}, Node ${node}, ${load}.`
  );
}

function rowsTable(records) {
  const ownOf = ({ rows }) => rows.filter((row) => row.backend !== 'pytorch' && !row.isDetail);
  const operations = [...new Set(records.flatMap((record) => ownOf(record).map(({ op }) => op)))];
  const rowOf = (record, op) => ownOf(record).find((row) => row.op === op);
  const peerOf = ({ rows }, op) =>
    rows
      .filter((row) => row.op === op && row.backend === 'pytorch')
      .toSorted((a, b) => a.wallMs - b.wallMs)[0];
  const columns = records.flatMap((record) => [
    [`${record.backend.name}, ms`, (op) => rowOf(record, op)?.wallMs],
    ['PyTorch, ms', (op) => peerOf(record, op)?.wallMs],
    ['form', (op) => peerOf(record, op)?.form],
    ['ratio', (op) => rowOf(record, op)?.ratio],
  ]);
  const table = markdown(operations, [['operation', (op) => `\`${op}\``], ...columns]);
  return `${records.map(titleOf).join('\n')}\n\n${table}`;
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
