// A page of panels: those that Grafana is given as well (stoker export grafana).
import { failure, h, select } from './dom.js';
import { get, lately, plain, stream } from './api.js';
import { Panel, fill } from './chart.js';
import { keep } from './route.js';
import { chinese, text } from './text.js';

const RANGES = [['900', 15, 'min'], ['3600', 1, 'h'], ['21600', 6, 'h'], ['86400', 24, 'h'], ['604800', 7, 'd']];
export const rangeChoice = (value, changed) => select(text('range'), RANGES.map(([v, n, unit]) => [v, `${n} ${text(unit)}`]), value, changed);
export const rangeOf = (parameters) => (RANGES.some(([v]) => v === parameters.get('range')) ? parameters.get('range') : '3600');

/** How often a chart with such steps gets a new point. */
export const liveInterval = (step) => `${Math.min(60, Math.max(5, step))}s`;

/** The values that a variable may have: label_values(metric, label). */
async function valuesOf(variable) {
  const [, metric, label] = variable.query.match(/label_values\((\w+), (\w+)\)/);
  return get(`label/${label}/values`, { 'match[]': metric });
}

const quoteRegex = (v) => v.replace(/[\\^$.|?*+(){}[\]]/g, '\\$&').replaceAll('\\', '\\\\');

/** Draws dashboard `name` into element; head is put above the panels. */
export function dashboard(name, element, parameters, head) {
  const chosen = Object.fromEntries(parameters);
  const bar = h('div', { class: 'bar' }), grid = h('div', { class: 'grid' });
  let panels = [], stop = () => {}, aborts = new AbortController(), round = 0;

  const change = (key) => (value) => { chosen[key] = value; keep(name, chosen); show(); };
  chosen.range = rangeOf(parameters);

  async function choices(variables) {
    const values = await Promise.all(variables.map(valuesOf));
    bar.replaceChildren(h('h1', {}, text(name)), rangeChoice(chosen.range, change('range')),
      ...variables.map((v, i) => values[i].length > 1
        && select(text(v.name), [['', text('all')], ...values[i].map((x) => [x, x])], chosen[v.name] || '', change(v.name))).filter(Boolean));
  }

  function follow(step) {
    const queries = panels.flatMap((p) => p.targets.map((t) => t.expr));
    return stream('live', { query: queries, interval: liveInterval(step) }, {
      samples({ time, results }) {
        let at = 0;
        for (const p of panels) {
          p.add(time, results.slice(at, at + p.targets.length).map((r) => r.result || []));
          at += p.targets.length;
        }
      },
    });
  }

  async function draw(board) {
    const mine = ++round, seconds = Number(chosen.range), span = lately(seconds);
    const variables = Object.fromEntries(board.templating.list.map((v) => [v.name, chosen[v.name] ? quoteRegex(chosen[v.name]) : '.*']));
    const ready = await Promise.all(board.panels.map(async (p) => new Panel({
      title: p.title,
      unit: p.fieldConfig.defaults.unit,
      targets: await Promise.all(p.targets.map(async (t) => ({ ...t, expr: await fill(t.expr, span.step, variables) }))),
    })));
    if (mine !== round) return ready.forEach((p) => p.end());
    panels = ready;
    grid.replaceChildren(...panels.map((p) => p.element));
    await Promise.all(panels.map((p) => p.show(span, aborts.signal)));
    if (mine === round) stop = follow(span.step);
  }

  function clear() {
    round++;
    stop();
    stop = () => {};
    aborts.abort();
    aborts = new AbortController();
    panels.forEach((p) => p.end());
    panels = [];
  }

  const failed = (error) => {
    if (error.name !== 'AbortError') grid.replaceChildren(failure(error));
  };
  const board = plain(`/console/dashboard/${name}${chinese() ? '?zh' : ''}`);
  function show() { clear(); board.then(draw).catch(failed); }

  element.append(bar, ...(head ? [head] : []), grid);
  bar.append(h('h1', {}, text(name)));
  board.then((b) => choices(b.templating.list)).catch(failed);
  show();
  return clear;
}
