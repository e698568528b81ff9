import { escapeHtml } from './escape.js';
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

/** Where the fonts of pictures come from, on a page and in a file. */
export const fontFamily = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

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
  const [width, height] = [Number(box?.[1] ?? 720), Number(box?.[2] ?? 400)];
  const top = hasTitle ? 36 : 8;
  const body = concrete(figure.svg.slice(figure.svg.indexOf('>') + 1, figure.svg.lastIndexOf('<')));
  const words = escapeHtml(figure.title);
  const title = `<text x="12" y="24" font-size="15" font-weight="600">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + top}"`,
    ` viewBox="0 0 ${width} ${height + top}" fill="${colors.get('--ink')}" font-size="12"`,
    ` font-family="${escapeHtml(`"${font}", ${fontFamily}`)}" text-anchor="start">`,
    `<title>${words}</title><desc>${escapeHtml(figure.description)}</desc>`,
    `<rect width="100%" height="100%" fill="${colors.get('--surface')}"/>`,
    hasTitle ? title : '',
    `<g transform="translate(0,${top})" text-anchor="middle">${body}</g></svg>\n`,
  ].join('');
}
