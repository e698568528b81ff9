/** CSV and TSV tables with errors that name the line (subpath `@lab/core/csv`). */
export {
  type CsvSummary,
  type ReadCsvOptions,
  readCsv,
  type WriteCsvOptions,
  writeCsv,
} from './csv-file.js';
