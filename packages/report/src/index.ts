export type { Axis } from './axis.js';
export {
  type Bar,
  type BarPlotSpec,
  barPlot,
  type GroupedBarPlotSpec,
  groupedBarPlot,
} from './bar-plot.js';
export { type BoxPlotSpec, boxPlot } from './box-plot.js';
export {
  type CompareOptions,
  type ComparedMetric,
  compareRuns,
  type GroupDifference,
  type RunComparison,
  type SampleDifference,
} from './compare.js';
export {
  comparisonPageHtml,
  comparisonSentence,
  resultTable,
  writeComparisonPage,
} from './compare-page.js';
export {
  type ComparisonRow,
  type ComparisonSource,
  type ComparisonSpec,
  comparisonTable,
} from './comparison.js';
export { csvText, escapeCsv, escapeHtml } from './escape.js';
export { type Figure, type StandaloneOptions, standaloneSvg } from './figure.js';
export { type ForestPlotSpec, type ForestRow, forestPlot } from './forest-plot.js';
export { type HeatmapSpec, heatmap } from './heatmap.js';
export {
  type HeatmapPanel,
  heatmapPanels,
  type HeatmapPanelsSpec,
} from './heatmap-panels.js';
export { type HistogramSpec, histogram } from './histogram.js';
export { htmlTable } from './html-table.js';
export type { CaptionedFigure } from './html.js';
export {
  type LinePlotSpec,
  type LinePoint,
  type LineSeries,
  linePlot,
  type ReferenceLine,
} from './line-plot.js';
export { metricLabel } from './metric-label.js';
export type {
  BigNumber,
  Example,
  ExampleSet,
  RunPage,
  Section,
  SettingRow,
  TextBlock,
} from './page.js';
export { createSeriesColors, type Scheme, type SeriesColors } from './palette.js';
export { pca, type PointMatrix, type PrincipalComponents } from './pca.js';
export { type PngOptions, svgToPng } from './png.js';
export { type ReliabilityPlotSpec, reliabilityPlot } from './reliability-plot.js';
export {
  type ReviewChoice,
  type ReviewPage,
  type ReviewQuestion,
  reviewPageHtml,
  writeReviewPage,
} from './review.js';
export {
  type NamedRanking,
  rankOverlapPlot,
  type RankOverlapSpec,
} from './rank-overlap-plot.js';
export { type RunFolder, readRunFolder, type SampleScores } from './run-folder.js';
export type { RunGroup } from './run-groups.js';
export { pageLimitBytes, runPageHtml, type WrittenPage, writeRunPage } from './run-page.js';
export {
  type Panel,
  type PanelPoint,
  scatterPanels,
  type ScatterPanelsSpec,
} from './scatter-panels.js';
export { type ScatterPlotSpec, type ScatterPoint, scatterPlot } from './scatter-plot.js';
export { type ReportServer, type ServeOptions, serveReports } from './serve.js';
export { tSne, type TSneLayout, type TSneOptions } from './t-sne.js';
export {
  type CellValue,
  type Column,
  type ColumnKind,
  markdownTable,
  meanCell,
  missingText,
  type RichCell,
  type Table,
  textTable,
} from './table.js';
export { type HeatmapWord, wordHeatmap, type WordHeatmapSpec } from './word-heatmap.js';
