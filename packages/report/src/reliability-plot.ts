import * as Plot from '@observablehq/plot';
import { formatCount, formatShare } from '@lab/core';
import { type ReliabilityBin, wilson } from '@lab/metrics';
import type { Axis } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { type Frame, renderFigure } from './render-figure.js';
import { axisMarks } from './plot-axes.js';
import { groundColor, seriesColor } from './palette.js';

/** What a reliability diagram shows. */
export interface ReliabilityPlotSpec {
  readonly title: string;
  readonly description?: string;
  /** The bins that `expectedCalibrationError` returns. */
  readonly bins: readonly ReliabilityBin[];
  readonly ece: number;
  /** What is right when the prediction is, for the axis: "share of right pairs". */
  readonly outcome?: string;
  readonly width?: number;
}

interface BinPoint extends ReliabilityBin {
  readonly bottom: number;
  readonly top: number;
}

/**
 * Share of positives against predicted probability, with 95 % Wilson whiskers and the diagonal.
 *
 * Dot areas grow with the number of samples in the bin; empty bins are left out.
 */
export function reliabilityPlot(spec: ReliabilityPlotSpec): Figure {
  const points = spec.bins
    .filter(({ count }) => count > 0)
    .map((bin): BinPoint => {
      const { low: bottom, high: top } = wilson(Math.round(bin.accuracy * bin.count), bin.count);
      return { ...bin, bottom, top };
    });
  const total = points.reduce((sum, { count }) => sum + count, 0);
  return renderFigure({
    title: spec.title,
    description:
      spec.description ??
      `Reliability diagram of ${formatCount(total)} samples in ${points.length} bins, expected ` +
        `calibration error ${formatShare(spec.ece)}. On the diagonal, confidence equals the ` +
        'share that is right. Whiskers are 95 % intervals.',
    csv: csvText(
      ['from', 'to', 'count', 'confidence', 'share right', 'low', 'high'],
      points.map((bin) => [
        bin.low,
        bin.high,
        bin.count,
        bin.confidence,
        bin.accuracy,
        bin.bottom,
        bin.top,
      ]),
    ),
    draw: (frame) => drawReliability(spec, points, frame),
    width: spec.width ?? 480,
  });
}

function drawReliability(
  spec: ReliabilityPlotSpec,
  points: readonly BinPoint[],
  frame: Frame,
): Plot.PlotOptions {
  const x: Axis = { label: 'predicted confidence', format: 'share' };
  const y: Axis = { label: spec.outcome ?? 'share that is right', format: 'share' };
  return {
    width: frame.width,
    height: Math.round(frame.width * 0.86) + 30,
    marginTop: 30,
    marginRight: 20,
    marginBottom: 42,
    marginLeft: 46,
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    marks: [
      ...axisMarks({ axis: x, domain: [0, 1], count: 5 }, { axis: y, domain: [0, 1], count: 5 }),
      diagonal(),
      ...binMarks(points),
      Plot.text([`ECE ${formatShare(spec.ece)}`], {
        frameAnchor: 'top-left',
        dx: 10,
        dy: 8,
        fontSize: 14,
        fontWeight: 600,
        fill: groundColor('ink'),
      }),
      Plot.text(['too sure'], cornerWords('bottom-right')),
    ],
    r: { type: 'identity' },
  };
}

function diagonal(): Plot.Markish {
  const ends = [
    [0, 0],
    [1, 1],
  ] as [number, number][];
  return Plot.line(ends, { stroke: groundColor('muted'), strokeDasharray: '4 4' });
}

/** Whiskers, the line through the bins and a dot for each, its area by the samples in it. */
function binMarks(points: readonly BinPoint[]): Plot.Markish[] {
  const most = points.reduce((largest, { count }) => Math.max(largest, count), 1);
  const color = seriesColor(0);
  const x = 'confidence';
  return [
    Plot.ruleX(points, { x, y1: 'bottom', y2: 'top', stroke: color, strokeWidth: 1.5 }),
    Plot.line(points, { x, y: 'accuracy', stroke: color, strokeWidth: 1, strokeOpacity: 0.5 }),
    Plot.dot(points, {
      x,
      y: 'accuracy',
      r: (bin: BinPoint) => 3 + 7 * Math.sqrt(bin.count / most),
      fill: color,
      stroke: groundColor('surface'),
      title: (bin: BinPoint) =>
        `${formatShare(bin.low, 1)} to ${formatShare(bin.high, 1)}: ` +
        `${formatShare(bin.accuracy)} right of ${formatCount(bin.count)}`,
    }),
  ];
}

function cornerWords(frameAnchor: 'bottom-right'): Plot.TextOptions {
  return { frameAnchor, dx: -8, dy: -8, fill: groundColor('muted') };
}
