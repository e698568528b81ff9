import { createHash } from 'node:crypto';

/**
 * The script of a review page: takes decisions by mouse and keys, keeps them in the browser, and
 * gives them back as the CSV file that the page was made from.
 */
export const reviewScript = `
(() => {
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const list = document.querySelector('ol.review');
const items = all('ol.review > li');
const columns = JSON.parse(list.dataset.columns);
const store = 'review ' + list.dataset.key;
const bar = document.querySelector('.bar');
const only = bar.querySelector('input');
const keys = JSON.parse(list.dataset.keys);
const isTimed = list.dataset.timed === 'yes';
let saved = true;
let since = performance.now();
const textOf = (item) => item.querySelector('input[type=text]');
const decisionOf = (item) => {
  const chosen = item.querySelector('input[type=radio]:checked');
  if (!chosen || chosen.value === '') return '';
  return chosen.value === 'other' ? textOf(item).value.trim() : chosen.value;
};
const radioOf = (item, value) =>
  all('input[type=radio]', item).find((radio) => radio.value === value);
const choose = (item, value) => {
  const own = value === 'other' ? undefined : radioOf(item, value);
  (own ?? radioOf(item, 'other') ?? radioOf(item, '')).checked = true;
  if (!own && textOf(item)) textOf(item).value = value;
};
const timeOf = (item) =>
  isTimed ? [decisionOf(item) === '' ? '' : (item.dataset.seconds ?? '')] : [];
const note = (item) => {
  const now = performance.now();
  item.dataset.seconds = (Number(item.dataset.seconds ?? 0) + (now - since) / 1000).toFixed(1);
  since = now;
};
const show = () => {
  let done = 0;
  for (const item of items) {
    const decision = decisionOf(item);
    item.dataset.decision = decision;
    if (decision !== '') done += 1;
    item.hidden = only.checked && decision !== '' && item !== document.activeElement
      && !item.contains(document.activeElement);
  }
  bar.querySelector('progress').value = done;
  bar.querySelector('output').textContent = done + ' of ' + items.length + ' decided'
    + (saved || done === 0 ? '' : ', not downloaded');
};
const keep = () => {
  saved = false;
  try {
    localStorage.setItem(store, JSON.stringify(items.map(decisionOf)));
  } catch {
    // A browser that keeps nothing for files: the download is all there is.
  }
  show();
};
const quoted = (text) => /[",\\r\\n]|^\\s|\\s$/.test(text)
  ? '"' + text.replaceAll('"', '""') + '"' : text;
const csv = () => [columns, ...items.map((item) =>
  [...JSON.parse(item.dataset.cells), decisionOf(item), ...timeOf(item)])]
  .map((row) => row.map(quoted).join(',') + '\\n').join('');
list.reviewCsv = csv;
const shown = () => items.filter((item) => !item.hidden);
const current = () => items.find((item) => item.contains(document.activeElement));
const go = (step) => {
  const open = shown();
  const at = open.indexOf(current());
  const next = open[at < 0 ? 0 : Math.max(0, Math.min(open.length - 1, at + step))];
  if (!next) return;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
};
for (const item of items) {
  item.querySelector('.decide').hidden = false;
  item.tabIndex = -1;
  item.addEventListener('change', () => note(item));
  const text = textOf(item);
  text?.addEventListener('input', () => {
    item.querySelector('input[value=other]').checked = true;
  });
  item.addEventListener('input', keep);
  text?.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === 'Escape') item.focus();
  });
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches('input[type=text]')) return;
  if (event.key === 'j' || event.key === 'k') {
    event.preventDefault();
    go(event.key === 'j' ? 1 : -1);
    return;
  }
  const item = current() ?? shown()[0]; // before anything is chosen, the first
  if (!item) return;
  const isOther = event.key === 'o' && textOf(item);
  const isKey = Object.hasOwn(keys, event.key);
  if (isKey || isOther) item.focus();
  if (isKey) {
    choose(item, keys[event.key]);
    note(item);
    keep();
    if (event.key !== 'u') go(1);
    show();
  } else if (isOther) {
    event.preventDefault();
    item.querySelector('input[value=other]').checked = true;
    textOf(item).focus();
    keep();
  }
});
only.addEventListener('change', show);
bar.querySelector('button').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([csv()], { type: 'text/csv' }));
  link.download = list.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  saved = true;
  show();
});
addEventListener('beforeunload', (event) => {
  if (!saved) event.preventDefault();
});
try {
  const kept = JSON.parse(localStorage.getItem(store) ?? '[]');
  items.forEach((item, at) => choose(item, kept[at] ?? ''));
} catch {
  // Nothing is kept, or not what this page kept: all pairs are open.
}
bar.hidden = false;
for (const element of all('.keys')) element.hidden = false;
show();
})();
`;

const digest = createHash('sha256').update(reviewScript).digest('base64');

/** The hash by which the page's content security policy admits this script. */
export const reviewScriptHash = `sha256-${digest}`;
