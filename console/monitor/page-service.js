// What the service does, and its models.
import { format, h, nothing, table } from './dom.js';
import { stream } from './api.js';
import { dashboard } from './dashboard.js';
import { fill } from './chart.js';
import { text } from './text.js';

// One row a model. The first tells which models there are.
const mean = (name) => `sum by (model) (rate(${name}_sum[$__rate_interval])) / sum by (model) (rate(${name}_count[$__rate_interval]))`;
const COLUMNS = [
  ['requests_per_second', 'reqps', 'sum by (model) (rate(stoker_queue_seconds_count[$__rate_interval]))'],
  ['meanWait', 's', mean('stoker_queue_seconds')],
  ['meanRun', 's', mean('stoker_run_seconds')],
  ['meanRows', 'short', mean('stoker_batch_size_rows')],
  ['waiting', 'short', 'sum by (model) (stoker_queue_requests)'],
];

function models(results) {
  const rows = new Map();
  results.forEach((r, i) => (r.result || []).forEach(({ metric, value }) => {
    if (!rows.has(metric.model)) rows.set(metric.model, { model: metric.model });
    rows.get(metric.model)[COLUMNS[i][0]] = Number(value[1]);
  }));
  return [...rows.values()].sort((a, b) => a.model.localeCompare(b.model));
}

export function render(element, parameters) {
  const head = h('div');
  let over = false, stop = () => {};

  Promise.all(COLUMNS.map(([, , expr]) => fill(expr, 0))).then((query) => {
    if (over) return;
    stop = stream('live', { query, interval: '5s' }, {
      samples({ results }) {
        const rows = models(results);
        head.replaceChildren(rows.length ? table([
          { title: text('model'), of: (r) => r.model },
          ...COLUMNS.map(([name, unit]) => ({ title: text(name), number: true, of: (r) => format(r[name], unit) })),
        ], rows) : nothing(text('noService')));
      },
    });
  }).catch(() => {});
  const end = dashboard('service', element, parameters, head);
  return () => { over = true; stop(); end(); };
}
