import { createHash } from 'node:crypto';

/**
 * The script of a page: sorts tables, filters examples, copies the command, shows values under
 * the pointer. The page reads the same without it; what needs it appears only when it runs.
 */
export const pageScript = `
(() => {
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const keyOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
};
const compare = (a, b) => {
  const numbers = typeof a === 'number' && typeof b === 'number';
  if (numbers) return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
};
for (const table of all('table.data')) {
  const heads = all('thead th', table);
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const isNumber = head.classList.contains('number');
      const before = head.getAttribute('aria-sort');
      const isDown = before ? before === 'ascending' : isNumber;
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
      const rows = all('tr', table.tBodies[0]);
      rows.sort((a, b) => (isDown ? -1 : 1) * compare(keyOf(a, column), keyOf(b, column)));
      table.tBodies[0].append(...rows);
      table.dispatchEvent(new Event('sorted', { bubbles: true }));
    });
  });
}
for (const box of all('.filter')) {
  const input = box.querySelector('input');
  const count = box.querySelector('output');
  const root = box.parentElement;
  const pages = root.querySelector('.pages');
  const size = pages ? Number(pages.dataset.rows) : Infinity;
  let first = 0;
  const show = () => {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const items = all(pages ? 'tbody tr' : 'li', root);
    const found = items.filter((item) => {
      const text = item.textContent.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const shown = new Set(found.slice(first, first + size));
    for (const item of items) item.hidden = !shown.has(item);
    const what = pages ? ' found' : ' shown';
    count.textContent = words.length ? found.length + ' of ' + items.length + what : '';
    if (!pages) return;
    const [back, next] = all('button', pages);
    pages.hidden = items.length <= size;
    back.disabled = first === 0;
    next.disabled = first + size >= found.length;
    pages.querySelector('output').textContent = found.length === 0 ? 'none'
      : (first + 1) + ' to ' + (first + shown.size) + ' of ' + found.length;
  };
  const restart = () => { first = 0; show(); };
  box.hidden = false;
  input.addEventListener('input', restart);
  if (!pages) continue;
  root.addEventListener('sorted', restart);
  for (const button of all('button', pages)) button.addEventListener('click', () => {
    first += Number(button.dataset.step) * size;
    show();
  });
  show();
}
for (const button of all('button.copy')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.source);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand('copy');
    }
    button.textContent = done ? 'Copied' : 'Selected: press Ctrl-C';
    setTimeout(() => { button.textContent = 'Copy command'; }, 2500);
  });
}
const parse = (link) => decodeURIComponent(link.href.split(',')[1]).trim().split('\\r\\n').slice(1)
  .map((line) => /^("(?:[^"]|"")*"|[^,]*),([^,]*),([^,]*)/.exec(line))
  .filter(Boolean)
  .map(([, name, x, y]) => ({
    name: name.replace(/^"|"$/g, '').replaceAll('""', '"'), x: +x, y: +y }));
const short = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));
for (const figure of all('figure[data-lines]')) {
  const link = figure.querySelector('a[download]');
  if (!link) continue;
  const rows = parse(link);
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  figure.append(tip);
  for (const svg of all('svg', figure)) {
    const [left, right, low, high, log] = svg.dataset.x.split(' ').map(Number);
    svg.addEventListener('pointerleave', () => { tip.hidden = true; });
    svg.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const share = ((event.clientX - box.left) * scale - left) / (right - left);
      const x = log ? Math.exp(Math.log(low) + share * (Math.log(high) - Math.log(low)))
        : low + share * (high - low);
      const near = new Map();
      for (const row of rows) {
        const best = near.get(row.name);
        if (!best || Math.abs(row.x - x) < Math.abs(best.x - x)) near.set(row.name, row);
      }
      const first = [...near.values()].sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0];
      if (!first || share < -.02 || share > 1.02) { tip.hidden = true; return; }
      const lines = [figure.dataset.lines + ' ' + short(first.x)];
      for (const row of near.values()) if (row.x === first.x) {
        lines.push(row.name + '  ' + short(row.y));
      }
      tip.replaceChildren(...lines.flatMap((line, index) => {
        const text = document.createTextNode(line);
        return index ? [document.createElement('br'), text] : [text];
      }));
      tip.hidden = false;
      const outer = figure.getBoundingClientRect();
      const at = event.clientX - outer.left;
      tip.style.left = Math.max(0, Math.min(at + 14, outer.width - tip.offsetWidth)) + 'px';
      tip.style.top = Math.max(0, event.clientY - outer.top - tip.offsetHeight - 12) + 'px';
    });
  }
}
})();
`;

/** The hash by which the page's content security policy admits exactly this script. */
export const pageScriptHash = `sha256-${createHash('sha256').update(pageScript).digest('base64')}`;
