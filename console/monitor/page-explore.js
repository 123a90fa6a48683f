// Any question to the history: PromQL with completion, as a graph and as a table.
import { h, nothing, table } from './dom.js';
import { lately, query, stream } from './api.js';
import { Panel } from './chart.js';
import { editor } from './complete.js';
import { liveInterval, rangeChoice, rangeOf } from './dashboard.js';
import { keep } from './route.js';
import { text } from './text.js';

const ROWS = 1000;

function rowsOf(data) {
  if (data.resultType === 'scalar' || data.resultType === 'string') return [{ metric: {}, value: data.result[1] }];
  if (data.resultType === 'vector') return data.result.map((s) => ({ metric: s.metric, value: s.value[1] }));
  return data.result.map((s) => ({ metric: s.metric, value: s.values.map(([t, v]) => `${v} @${t}`).join('\n') }));
}

const seriesName = ({ __name__: name = '', ...rest }) =>
  `${name}{${Object.entries(rest).map(([k, v]) => `${k}="${v}"`).join(', ')}}`;

export function render(element, parameters) {
  const chosen = { q: parameters.get('q') || 'up', range: rangeOf(parameters), view: parameters.get('view') || 'graph' };
  const out = h('div', { id: 'result' }), note = h('span', { class: 'note', role: 'status' });
  let panel = null, abort = new AbortController(), stop = () => {};

  async function graph(signal) {
    const grid = lately(Number(chosen.range));
    panel = new Panel({ title: '', targets: [{ expr: chosen.q }] });
    out.replaceChildren(panel.element);
    await panel.show(grid, signal);
    if (signal.aborted) return 0;
    const mine = panel;
    stop = stream('live', { query: chosen.q, interval: liveInterval(grid.step) }, { samples: ({ time, results }) => mine.add(time, [results[0].result]) });
    return panel.total;
  }
  async function rows(signal) {
    const all = rowsOf(await query(chosen.q, signal));
    out.replaceChildren(all.length ? table([
      { title: text('metric'), of: (r) => h('code', {}, seriesName(r.metric)) },
      { title: text('value'), number: true, of: (r) => h('span', { class: 'mono', title: r.value }, r.value) },
    ], all.slice(0, ROWS)) : nothing(text('empty')));
    return all.length;
  }

  function end() {
    abort.abort();
    stop();
    stop = () => {};
    if (panel) panel.end();
    panel = null;
  }

  async function run() {
    chosen.q = edit.value().trim();
    keep('explore', chosen);
    end();
    abort = new AbortController();
    note.textContent = text('loading');
    const began = performance.now(), { signal } = abort;
    try {
      const n = await (chosen.view === 'graph' ? graph : rows)(signal);
      if (signal.aborted) return;
      note.textContent = `${text('series')(n)} · ${text('took')(Math.round(performance.now() - began))}`;
    } catch (error) {
      if (error.name === 'AbortError') return;
      note.textContent = '';
      out.replaceChildren(h('p', { class: 'error', role: 'alert' }, error.message));
    }
  }

  const views = ['graph', 'table'].map((view) => h('button', {
    type: 'button', 'aria-pressed': String(chosen.view === view), onclick: () => {
      chosen.view = view;
      views.forEach((b, i) => b.setAttribute('aria-pressed', String(['graph', 'table'][i] === view)));
      run();
    },
  }, text(view)));
  const edit = editor(chosen.q, run);
  element.append(h('h1', {}, text('explore')), edit.element, h('p', { class: 'bar' },
    h('button', { type: 'button', class: 'main', onclick: run }, text('run')), ...views,
    rangeChoice(chosen.range, (v) => { chosen.range = v; run(); }), note), out);
  run();
  return end;
}
