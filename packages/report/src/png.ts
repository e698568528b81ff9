import { BackendError } from '@lab/core';

/** How a PNG is made: pixels per px (2), and the fonts to draw words with. */
export interface PngOptions {
  readonly scale?: number;
  /** Font family tried first and for every generic name; default DejaVu Sans. */
  readonly font?: string;
  /** Font files to load besides those of the system. */
  readonly fontFiles?: readonly string[];
}

type Resvg = typeof import('@resvg/resvg-js');

/**
 * The SVG as a PNG, drawn by the optional package `@resvg/resvg-js`.
 *
 * @param svg - with concrete colours, as `standaloneSvg` returns it.
 * @throws {BackendError} when the package is not installed, or the font is nowhere found: words
 *   would silently be missing.
 */
export async function svgToPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale = 2, font = 'DejaVu Sans', fontFiles = [] } = options;
  const { Resvg } = await loadResvg();
  const settings = {
    fitTo: { mode: 'zoom' as const, value: scale },
    font: { fontFiles: [...fontFiles], defaultFontFamily: font, sansSerifFamily: font },
  };
  if (svg.includes('<text') && !new Resvg(probeOf(font), settings).getBBox()) {
    throw new BackendError(`report/png: the font "${font}" is not on this machine.`, {
      help: 'Pass { font } with an installed family, or { fontFiles } with the path of a font.',
      details: { font },
    });
  }
  return new Resvg(svg, settings).render().asPng();
}

function probeOf(font: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="20" font-family="${font}">M</text></svg>`;
}

async function loadResvg(): Promise<Resvg> {
  try {
    return await import('@resvg/resvg-js');
  } catch (cause) {
    throw new BackendError('report/png: PNG files need the package @resvg/resvg-js.', {
      help: 'Install it: npm install @resvg/resvg-js',
      cause,
    });
  }
}
