/** A text whose contrast with what is behind it is below 4.5:1 (3:1 when large). */
export interface ContrastFinding {
  readonly text: string;
  readonly ratio: number;
  readonly element: string;
}

/** What the audit script measures in a page. */
export interface PageAudit {
  /** px by which the page is wider than its window; 0 when nothing scrolls sideways. */
  readonly overflowPx: number;
  /** Elements that stick out of the window and do not scroll in a box of their own. */
  readonly stickingOut: readonly string[];
  readonly lowContrast: readonly ContrastFinding[];
  /** Number of texts whose contrast was measured. */
  readonly textCount: number;
  /** Pictures without a text alternative. */
  readonly unnamedPictures: number;
  /** Figures without a link to their data. */
  readonly figuresWithoutData: number;
  /** Paragraphs with lines of more than 80 characters. */
  readonly longLines: readonly string[];
}

/**
 * Expression that measures a page from within: run it with `evaluate`.
 *
 * The colour behind a text is blended from all elements and SVG shapes under its middle, nearest
 * last; words over picture shapes are so compared with what is really drawn there.
 */
export const pageAuditScript = `(() => {
const parse = (color) => {
  const parts = color.match(/[\\d.]+/g);
  if (!parts || color === 'none') return [0, 0, 0, 0];
  const [r, g, b, a = 1] = parts.map(Number);
  const unit = color.startsWith('color(') ? 255 : 1;
  return [r * unit, g * unit, b * unit, a];
};
const over = (top, bottom) => [0, 1, 2].map((i) => top[i] * top[3] + bottom[i] * (1 - top[3]));
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((v) => v / 255).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const isShape = (element) => /^(rect|path|circle)$/.test(element.localName);
const paintOf = (element) => {
  const style = getComputedStyle(element);
  if (element.namespaceURI.endsWith('/svg')) {
    if (!isShape(element)) return [0, 0, 0, 0];
    const fill = parse(style.fill);
    return [fill[0], fill[1], fill[2], fill[3] * style.fillOpacity * style.opacity];
  }
  return parse(style.backgroundColor);
};
const nameOf = (element) => {
  const own = typeof element.className === 'string' ? element.className : '';
  return element.localName + (own ? '.' + own.split(' ').join('.') : '');
};
const root = parse(getComputedStyle(document.body).backgroundColor);
const groundUnder = (element, x, y) => {
  const stack = document.elementsFromPoint(x, y);
  const self = stack.indexOf(element);
  const isAbove = (other) => other === element || element.contains(other);
  const behind = (self < 0 ? stack : stack.slice(self)).filter((other) => !isAbove(other));
  const layers = [element, ...behind].filter((other) => other.localName !== 'text').map(paintOf);
  return layers.reverse().reduce((ground, layer) => over(layer, ground), root.slice(0, 3));
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const lowContrast = [];
let textCount = 0;
const range = document.createRange();
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || /^(script|style|title|desc|noscript)$/.test(element.localName)) continue;
  if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
  range.selectNodeContents(node);
  let box = range.getClientRects()[0];
  if (!box || box.width === 0) continue;
  if (box.top < 0 || box.bottom > innerHeight || box.left < 0 || box.right > innerWidth) {
    element.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
    box = range.getClientRects()[0];
  }
  const style = getComputedStyle(element);
  const isSvg = element.namespaceURI.endsWith('/svg');
  const color = parse(isSvg ? style.fill : style.color);
  if (isSvg) color[3] *= style.fillOpacity * style.opacity;
  const x = Math.max(1, Math.min(box.left + box.width / 2, innerWidth - 1));
  const ground = groundUnder(element, x, box.top + box.height / 2);
  const [a, b] = [luminance(over(color, ground)), luminance(ground)].sort((p, q) => q - p);
  const ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  textCount += 1;
  if (ratio < (isLarge ? 3 : 4.5)) {
    lowContrast.push({ text: node.data.trim().slice(0, 60), ratio, element: nameOf(element) });
  }
}
scrollTo(0, 0);
for (const box of document.querySelectorAll('.scroll')) box.scrollLeft = 0;
const width = document.documentElement.clientWidth;
const isBoxed = (element) => {
  for (let at = element; at; at = at.parentElement) {
    if (/auto|scroll|hidden/.test(getComputedStyle(at).overflowX)) return true;
  }
  return false;
};
const stickingOut = [...document.querySelectorAll('body *')]
  .filter((element) => element.checkVisibility() && !element.classList.contains('skip'))
  .filter((element) => element.getBoundingClientRect().right > width + 1 && !isBoxed(element))
  .map(nameOf);
const longLines = [...document.querySelectorAll('p, li, figcaption')].filter((element) => {
  if (!element.checkVisibility() || element.querySelector('li, table, dl')) return false;
  const size = parseFloat(getComputedStyle(element).fontSize);
  const lines = element.getBoundingClientRect().height / (size * 1.4);
  const { length } = element.textContent;
  return length > 80 && length / Math.max(1, Math.round(lines)) > 80;
}).map((element) => element.textContent.slice(0, 60));
const visible = (list) => [...list].filter((element) => element.checkVisibility());
return {
  overflowPx: Math.max(0, document.documentElement.scrollWidth - width),
  stickingOut: [...new Set(stickingOut)].slice(0, 20),
  lowContrast: lowContrast.slice(0, 20),
  textCount,
  unnamedPictures: visible(document.querySelectorAll('svg, img'))
    .filter((picture) => !(picture.getAttribute('aria-label') || picture.alt)).length,
  figuresWithoutData: [...document.querySelectorAll('figure')]
    .filter((figure) => !figure.querySelector('a[download][href^="data:text/csv"]')).length,
  longLines,
};
})()`;
