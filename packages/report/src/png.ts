import { BackendError } from '@lab/core';

/** How a PNG is made: pixels per px (2), and the fonts to draw words with. */
export interface PngOptions {
  readonly scale?: number;
  /** Font family tried first and for every generic name; default DejaVu Sans. */
  readonly font?: string;
  /** Font files to load besides those of the system. */
  readonly fontFiles?: readonly string[];
  /** Whether fonts of the machine may be used; false makes the same picture everywhere. */
  readonly hasSystemFonts?: boolean;
}

type Resvg = typeof import('@resvg/resvg-js');

/**
 * The SVG as a PNG, drawn by the optional package `@resvg/resvg-js`.
 *
 * @param svg - with concrete colours, as `standaloneSvg` returns it.
 * @throws {BackendError} when the package is not installed, or there is no font at all: words
 *   would silently be missing.
 */
export async function svgToPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale = 2, font = 'DejaVu Sans', fontFiles = [], hasSystemFonts = true } = options;
  const { Resvg } = await loadResvg();
  const settings = {
    fitTo: { mode: 'zoom' as const, value: scale },
    font: {
      fontFiles: [...fontFiles],
      loadSystemFonts: hasSystemFonts,
      defaultFontFamily: font,
      sansSerifFamily: font,
    },
  };
  if (svg.includes('<text') && !new Resvg(probeOf(font), settings).getBBox()) {
    throw new BackendError(`report/png: neither "${font}" nor any other font was found.`, {
      help: 'Install a font (Debian: apt-get install fonts-dejavu) or pass { fontFiles }.',
      details: { font },
    });
  }
  return new Resvg(svg, settings).render().asPng();
}

function probeOf(font: string): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">' +
    `<text y="20" font-family="${font}">M</text></svg>`
  );
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
