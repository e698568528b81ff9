import { createRequire } from 'node:module';
import * as Plot from '@observablehq/plot';
import type * as Linkedom from 'linkedom';
import { escapeHtml, withoutControls } from './escape.js';
import { type Figure, fontFamily } from './figure.js';

/** The room a drawing has, in px. */
export interface Frame {
  readonly width: number;
  readonly isNarrow: boolean;
}

/** What a plot hands over to be drawn in every size. */
export interface Drawing {
  readonly title: string;
  readonly description: string;
  readonly csv: string;
  /** Observable Plot's options for a frame. */
  readonly draw: (frame: Frame) => Plot.PlotOptions;
  /** For lines: what runs along x, and "left right low high log" of its axis in a frame. */
  readonly pointer?: { readonly label: string; readonly axis: (frame: Frame) => string };
  /** Width of the wide picture, px; default 720. */
  readonly width?: number;
}

const WIDE = 720;
const NARROW = 352;

/** The figure of a drawing: rendered at both widths, ready for a page or a file. */
export function renderFigure(drawing: Drawing): Figure {
  const { title, description, csv, draw, pointer, width = WIDE } = drawing;
  const render = (frame: Frame) => {
    const svg = svgOf(draw(frame), `${title}. ${description}`);
    return pointer ? svg.replace('<svg ', `<svg data-x="${pointer.axis(frame)}" `) : svg;
  };
  return {
    title,
    description,
    csv,
    svg: render({ width, isNarrow: false }),
    narrowSvg: render({ width: Math.min(width, NARROW), isNarrow: true }),
    ...(pointer ? { pointerLabel: pointer.label } : {}),
  };
}

/** A picture that is written as SVG itself, where marks of Plot would be heavy. */
export interface WrittenDrawing extends Pick<Drawing, 'title' | 'description' | 'csv' | 'width'> {
  /** Height in px and the elements, their texts escaped, for a frame. */
  readonly write: (frame: Frame) => { readonly height: number; readonly body: string };
}

/** The figure of a written drawing, at both widths. */
export function writtenFigure(drawing: WrittenDrawing): Figure {
  const { title, description, csv, write, width = WIDE } = drawing;
  const render = (frame: Frame) => {
    const { height, body } = write(frame);
    const box = `0 0 ${frame.width} ${Math.ceil(height)}`;
    return `${svgRoot(box, `${title}. ${description}`)}${withoutControls(body)}</svg>`;
  };
  return {
    ...{ title, description, csv },
    svg: render({ width, isNarrow: false }),
    narrowSvg: render({ width: Math.min(width, NARROW), isNarrow: true }),
  };
}

const requireHere = createRequire(import.meta.url);

/** An empty page. Loading what makes it takes a third of a second: most commands draw nothing. */
function newDocument() {
  const { parseHTML } = requireHere('linkedom') as typeof Linkedom;
  return parseHTML('<!doctype html><html><body></body></html>').document;
}

function svgOf(options: Plot.PlotOptions, alternative: string): string {
  const node = Plot.plot({ ...options, document: newDocument(), className: 'plot' });
  node.querySelector('style')?.remove();
  const root = svgRoot(String(node.getAttribute('viewBox')), alternative);
  return `${root}${compact(withoutControls(String(node.innerHTML)))}</svg>`;
}

function svgRoot(viewBox: string, alternative: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}" ` +
    `role="img" aria-label="${escapeHtml(alternative)}" class="plot" fill="currentColor" ` +
    `font-size="12" font-family="${escapeHtml(fontFamily)}" text-anchor="middle" ` +
    `style="overflow:visible">`
  );
}

/** Coordinates with two decimals: a hundredth of a pixel is not seen, 15 digits are heavy. */
function compact(svg: string): string {
  return svg
    .replace(/(=")([^"]*)"/g, (whole, start: string, value: string) =>
      /\d\.\d{3}/.test(value) && !value.includes('var(')
        ? `${start}${value.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (n) => String(+(+n).toFixed(2)))}"`
        : whole,
    )
    .replaceAll(' />', '/>');
}
