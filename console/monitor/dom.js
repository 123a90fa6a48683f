// Elements, and how values are written for people.
import { locale, text } from './text.js';

/** h('p', {class: 'note', onclick: f}, 'text', child): an element. Values that are false or null are left out. */
export function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') e[name] = value;
    else e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return e;
}

/** The same for drawings. */
export function svg(tag, attributes = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

/** A choice: options are [value, text]. */
export function select(label, options, value, changed) {
  return h('label', {}, label, h('select', { value, onchange: (e) => changed(e.target.value) },
    options.map(([v, t]) => h('option', { value: v, selected: v === value }, t))));
}

/** columns: {title, number?, of: row => child}. */
export function table(columns, rows) {
  return h('div', { class: 'scroll', tabindex: 0 }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map((c) => h('th', { scope: 'col', class: c.number && 'number' }, c.title)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, columns.map((c) => h('td', { class: c.number && 'number' }, c.of(row))))))));
}

export const labels = (set) => h('div', { class: 'labels' },
  Object.entries(set).map(([name, value]) => h('span', {}, `${name}="${value}"`)));

export const failure = (error) => h('p', { class: 'error' }, `${text('failed')} ${error.message}`);

export const nothing = (words) => h('p', { class: 'note' }, words);

/** A bar that is as full as share (0 to 1) says. */
export const meter = (label, share) => h('div', { class: 'meter', role: 'img', 'aria-label': `${label} ${percent(share)}` },
  svg('svg', { viewBox: '0 0 100 1', preserveAspectRatio: 'none' },
    svg('rect', { width: Math.max(0, Math.min(100, share * 100)), height: 1 })));

// ---- values ----------------------------------------------------------------

const number = (v, digits) => v.toLocaleString(locale(), { maximumFractionDigits: digits });
/** Three digits that matter. */
const plain = (v) => number(v, v === 0 ? 0 : Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(v))))));
const percent = (v) => `${number(v * 100, Math.abs(v) < 0.1 || (v > 0.99 && v < 1) ? 2 : 1)} %`;

function scaled(v, step, units) {
  let i = 0;
  while (Math.abs(v) >= step && i < units.length - 1) { v /= step; i++; }
  return `${plain(v)} ${units[i]}`.trim();
}

function seconds(v) {
  const a = Math.abs(v);
  if (a === 0) return '0 s';
  if (a < 1e-3) return `${plain(v * 1e6)} µs`;
  if (a < 1) return `${plain(v * 1e3)} ms`;
  return a < 120 ? `${plain(v)} s` : duration(v);
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

// By Grafana's names of units.
const units = {
  short: (v) => scaled(v, 1000, ['', 'k', 'M', 'G', 'T']),
  reqps: (v) => `${scaled(v, 1000, ['', 'k', 'M'])}/s`,
  percentunit: percent,
  percent: (v) => `${number(v, 1)} %`,
  s: seconds,
  bytes: (v) => scaled(v, 1024, BYTES),
  decmbytes: (v) => scaled(v * 1048576, 1024, BYTES),
  Bps: (v) => `${scaled(v, 1024, BYTES)}/s`,
  celsius: (v) => `${number(v, 0)} °C`,
  watt: (v) => `${number(v, 0)} W`,
  hertz: (v) => scaled(v, 1000, ['Hz', 'kHz', 'MHz', 'GHz']),
};

export function format(v, unit) {
  if (v == null || Number.isNaN(v)) return '–';
  return Number.isFinite(v) ? (units[unit] || units.short)(v) : String(v).replace('Infinity', '∞');
}

/** Seconds as 3 d 4 h, the two largest units. */
export function duration(s) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const first = parts.findIndex(([n]) => s >= n);
  if (first < 0) return `0 ${text('s')}`;
  return parts.slice(first, first + 2).map(([n, name]) => {
    const count = Math.floor(s / n);
    s -= count * n;
    return count ? `${count} ${text(name)}` : '';
  }).filter(Boolean).join(' ');
}

export const ago = (time) => text('ago')(duration(Math.max(0, (Date.now() - new Date(time)) / 1000)));
export const clock = (time, options = { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }) =>
  new Date(time).toLocaleString(locale(), options);
