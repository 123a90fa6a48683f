// A panel: a title, a chart, a legend. Points are added as they come.
import { clock, format, h } from './dom.js';
import { range, rateWindow } from './api.js';
import { text } from './text.js';

const COLOURS = ['#2f7ed8', '#e8702a', '#2ca05a', '#b05bc4', '#c9a227', '#d6455d', '#17a2b8', '#7d8794', '#8c5a2b', '#5b6ee1'];
const HEIGHT = 170;
// Steps of the axis for bytes.
const POWERS_OF_2 = Array.from({ length: 60 }, (_, i) => 2 ** (i - 8));
export const MAX_SERIES = 100;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
/** light-dark() is not for canvases: ask what it comes to. */
function ink(name) {
  const probe = h('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour || css(name);
}

function nameOf(metric, legend) {
  if (legend) return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '').trim();
  const { __name__: name = '', ...rest } = metric;
  const inside = Object.entries(rest).map(([k, v]) => `${k}="${v}"`).join(', ');
  return inside ? `${name}{${inside}}` : name || '{}';
}

/**
 * targets: [{expr, legendFormat}] with $__rate_interval already put in.
 * show({start, end, step}) draws history; add(time, results) a newer point of each.
 */
export class Panel {
  constructor({ title, unit = 'short', targets }) {
    Object.assign(this, { title, unit, targets, series: [], hidden: new Set(), zoomed: false });
    this.plot = h('div', { class: 'plot' });
    this.list = h('ul', { class: 'legend' });
    this.element = h('section', { class: 'card panel' }, title && h('h2', {}, title), this.plot, this.list);
    this.observer = new ResizeObserver(() => this.chart && this.chart.setSize(this.size()));
    this.observer.observe(this.plot);
  }

  size() { return { width: Math.max(100, this.plot.clientWidth), height: HEIGHT }; }

  async show(grid, signal) {
    const answers = await Promise.all(this.targets.map((t) => range(t.expr, grid, signal)));
    this.draw(answers.map((a) => a.result), grid);
  }

  /** results: of each target, series with values. */
  draw(results, grid) {
    const n = Math.floor((grid.end - grid.start) / grid.step) + 1;
    this.grid = grid;
    this.times = Array.from({ length: n }, (_, i) => grid.start + i * grid.step);
    this.series = [];
    results.forEach((result, target) => result.forEach((s) => {
      const values = new Array(n).fill(null);
      for (const [t, v] of s.values) values[Math.round((t - grid.start) / grid.step)] = Number(v);
      this.series.push(this.make(target, s.metric, values));
    }));
    this.total = this.series.length;
    this.series.length = Math.min(this.series.length, MAX_SERIES);
    this.build();
  }

  make(target, metric, values) {
    return { key: `${target} ${JSON.stringify(metric)}`, name: nameOf(metric, this.targets[target].legendFormat), values };
  }

  /** results: of each target, series with one value each, or null for a target that failed. */
  add(time, results) {
    if (!this.times || !this.times.length) return;
    const last = this.times[this.times.length - 1];
    if (time <= last) return;
    // Between two points of the grid the newest one moves along.
    const previous = this.times.length > 1 ? this.times[this.times.length - 2] : last - this.grid.step;
    const replaces = time - previous < this.grid.step;
    if (replaces) this.times[this.times.length - 1] = time; else this.times.push(time);
    const at = this.times.length - 1;
    for (const s of this.series) s.values[at] = null;
    let fresh = false;
    results.forEach((result, target) => (result || []).forEach(({ metric, value }) => {
      const key = `${target} ${JSON.stringify(metric)}`;
      let s = this.series.find((one) => one.key === key);
      if (!s && this.series.length < MAX_SERIES) {
        s = this.make(target, metric, new Array(at + 1).fill(null));
        this.series.push(s);
        fresh = true;
      }
      if (s) s.values[at] = Number(value[1]);
    }));
    const oldest = time - (this.grid.end - this.grid.start);
    while (this.times[0] < oldest) {
      this.times.shift();
      for (const s of this.series) s.values.shift();
    }
    if (fresh || !this.chart) this.build();
    else { this.chart.setData(this.data(), !this.zoomed); this.tell(); }
  }

  data() { return [this.times, ...this.series.map((s) => s.values)]; }

  build() {
    if (this.chart) this.chart.destroy();
    this.chart = null;
    this.plot.replaceChildren();
    this.list.replaceChildren();
    if (!this.series.length) {
      this.plot.append(h('div', { class: 'empty' }, text('noData')));
      return;
    }
    this.chart = new uPlot(this.options(), this.data(), this.plot);
    this.chart.root.setAttribute('role', 'img');
    this.chart.root.setAttribute('aria-label', this.title || text('graph'));
    this.legend();
  }

  options() {
    const soft = ink('--soft'), line = ink('--line');
    const days = this.grid.end - this.grid.start > 86400;
    const time = days ? { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false }
      : { hour: '2-digit', minute: '2-digit', hour12: false };
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '11px system-ui' };
    return {
      ...this.size(),
      legend: { show: false },
      // The line under the cursor stands out, unless drawing all anew for it takes long.
      cursor: { sync: { key: 'page' }, focus: { prox: this.series.length > 10 ? -1 : 24 }, y: false },
      focus: { alpha: 0.35 },
      scales: { y: { range: (_, low, high) => (low == null ? [0, 1] : [Math.min(0, low), high > 0 ? high * 1.05 : low < 0 ? 0 : 1]) } },
      axes: [
        { ...axis, size: 28, space: days ? 90 : 55, values: (_, at) => at.map((t) => clock(t * 1000, time)) },
        { ...axis, size: 66, incrs: this.unit.includes('ytes') || this.unit === 'Bps' ? POWERS_OF_2 : undefined, values: (_, at) => at.map((v) => format(v, this.unit)) },
      ],
      series: [{}, ...this.series.map((s, i) => ({
        label: s.name, stroke: COLOURS[i % COLOURS.length], width: 1.5, spanGaps: false,
        // A line needs two points: so few are shown as what they are.
        points: { show: s.values.filter((v) => v != null).length < 3, size: 4 }, show: !this.hidden.has(s.key),
      }))],
      hooks: {
        setCursor: [() => this.tell()],
        setSelect: [(u) => { this.zoomed = u.select.width > 0; }],
        ready: [(u) => u.over.addEventListener('dblclick', () => { this.zoomed = false; })],
      },
    };
  }

  legend() {
    this.list.replaceChildren(...this.series.map((s, i) => {
      const mark = h('i');
      mark.style.background = COLOURS[i % COLOURS.length];
      s.shown = h('b');
      return h('li', {}, h('button', {
        type: 'button', 'aria-pressed': String(!this.hidden.has(s.key)), onclick: (e) => this.toggle(s, i, e.currentTarget),
      }, mark, s.name, s.shown));
    }));
    if (this.total > MAX_SERIES) this.list.append(h('li', { class: 'soft' }, text('tooMany')(MAX_SERIES)));
    this.tell();
  }

  toggle(s, i, button) {
    const shown = this.hidden.delete(s.key);
    if (!shown) this.hidden.add(s.key);
    button.setAttribute('aria-pressed', String(shown));
    this.chart.setSeries(i + 1, { show: shown });
  }

  /** The values under the cursor, or the newest ones, in the legend. */
  tell() {
    const at = this.chart && this.chart.cursor.idx;
    const i = at == null ? this.times.length - 1 : at;
    for (const s of this.series) if (s.shown) s.shown.textContent = format(s.values[i], this.unit);
  }

  end() {
    this.observer.disconnect();
    if (this.chart) this.chart.destroy();
  }
}

/** Puts the window of rates and the chosen values into an expression. */
export async function fill(expr, step, variables = {}) {
  const window = await rateWindow(step);
  let out = expr.replaceAll('$__rate_interval', `${window}s`);
  for (const [name, value] of Object.entries(variables)) out = out.replaceAll(`$${name}`, () => value);
  return out;
}
