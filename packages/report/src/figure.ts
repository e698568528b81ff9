import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml, withoutControls } from './escape.js';
import { type Scheme, schemeVariables } from './palette.js';

/** A drawn figure: pictures for wide and narrow screens, its words and its data. */
export interface Figure {
  readonly title: string;
  /** Text alternative: what a reader who does not see the picture should know. */
  readonly description: string;
  /** For screens wider than about 640 px; colours are CSS variables with light fallbacks. */
  readonly svg: string;
  /** For telephones: drawn 352 px wide, so that words keep their size. */
  readonly narrowSvg: string;
  /** The plotted data, one line per drawn value. */
  readonly csv: string;
  /** For lines: what runs along x. A page then shows values under the pointer. */
  readonly pointerLabel?: string;
}

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

/** Where the fonts of pictures come from, on a page and in a file. */
export const fontFamily = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

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

function svgOf(options: Plot.PlotOptions, alternative: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const node = Plot.plot({
    ...options,
    document,
    className: 'plot',
  });
  node.querySelector('style')?.remove();
  const root =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${node.getAttribute('viewBox')}" ` +
    `role="img" aria-label="${escapeHtml(alternative)}" class="plot" fill="currentColor" ` +
    `font-size="12" font-family="${escapeHtml(fontFamily)}" text-anchor="middle" ` +
    `style="overflow:visible">`;
  return `${root}${compact(withoutControls(String(node.innerHTML)))}</svg>`;
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

/** How a picture stands alone: its scheme (light), and whether the title is drawn on it (yes). */
export interface StandaloneOptions {
  readonly scheme?: Scheme;
  readonly hasTitle?: boolean;
  /** First font tried; files and PNGs have no page to take one from. Default DejaVu Sans. */
  readonly font?: string;
}

/** The figure as an SVG file: concrete colours, a ground, a title, a named font. */
export function standaloneSvg(figure: Figure, options: StandaloneOptions = {}): string {
  const { scheme = 'light', hasTitle = true, font = 'DejaVu Sans' } = options;
  const colors = new Map(schemeVariables(scheme));
  const concrete = (text: string) =>
    text
      .replace(/var\((--[\w-]+)(?:, (#[0-9a-f]+))?\)/g, (_, name: string, fallback: string) => {
        return colors.get(name) ?? fallback;
      })
      .replaceAll('currentColor', colors.get('--ink')!);
  const box = /viewBox="0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)"/.exec(figure.svg);
  const [width, height] = [Number(box?.[1] ?? WIDE), Number(box?.[2] ?? 400)];
  const top = hasTitle ? 36 : 8;
  const body = concrete(figure.svg.slice(figure.svg.indexOf('>') + 1, figure.svg.lastIndexOf('<')));
  const title = `<text x="12" y="24" font-size="15" font-weight="600">${escapeHtml(figure.title)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + top}"`,
    ` viewBox="0 0 ${width} ${height + top}" fill="${colors.get('--ink')}" font-size="12"`,
    ` font-family="${escapeHtml(`"${font}", ${fontFamily}`)}" text-anchor="start">`,
    `<title>${escapeHtml(figure.title)}</title><desc>${escapeHtml(figure.description)}</desc>`,
    `<rect width="100%" height="100%" fill="${colors.get('--surface')}"/>`,
    hasTitle ? title : '',
    `<g transform="translate(0,${top})" text-anchor="middle">${body}</g></svg>\n`,
  ].join('');
}
