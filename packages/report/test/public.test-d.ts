import { expectTypeOf, test } from 'vitest';
import type { compareRuns } from '../src/index.js';
import {
  barPlot,
  boxPlot,
  type CellValue,
  type Figure,
  forestPlot,
  heatmap,
  histogram,
  linePlot,
  markdownTable,
  reliabilityPlot,
  type RunComparison,
  type RunPage,
  runPageHtml,
  scatterPlot,
  svgToPng,
  type Table,
} from '../src/index.js';

test('every plot is a figure', () => {
  expectTypeOf(barPlot).returns.toEqualTypeOf<Figure>();
  expectTypeOf(boxPlot).returns.toEqualTypeOf<Figure>();
  expectTypeOf(forestPlot).returns.toEqualTypeOf<Figure>();
  expectTypeOf(heatmap).returns.toEqualTypeOf<Figure>();
  expectTypeOf(histogram).returns.toEqualTypeOf<Figure>();
  expectTypeOf(linePlot).returns.toEqualTypeOf<Figure>();
  expectTypeOf(reliabilityPlot).returns.toEqualTypeOf<Figure>();
  expectTypeOf(scatterPlot).returns.toEqualTypeOf<Figure>();
});

test('cells of a table may be empty, but are no objects of any kind', () => {
  expectTypeOf<string | number | null>().toExtend<CellValue>();
  expectTypeOf<Date>().not.toExtend<CellValue>();
  expectTypeOf(markdownTable).parameter(0).toEqualTypeOf<Table>();
});

test('pages are text, pictures are bytes', () => {
  expectTypeOf(runPageHtml).parameter(0).toEqualTypeOf<RunPage>();
  expectTypeOf(runPageHtml).returns.toEqualTypeOf<string>();
  expectTypeOf(svgToPng).returns.resolves.toExtend<Uint8Array>();
});

test('a comparison of runs has its type', () => {
  expectTypeOf<Awaited<ReturnType<typeof compareRuns>>>().toEqualTypeOf<RunComparison>();
});
