// Is everything fine? What is not, since when, what to do.
import { failure, format, h, svg } from './dom.js';
import { get, first, lately, plain, range, stream } from './api.js';
import { fill } from './chart.js';
import { text } from './text.js';
import { alertCard, allAlerts } from './alert-view.js';

const HOUR = 3600;

/** A line of the last hour, without axes. */
function spark(values, start, end) {
  const points = values.map(([t, v]) => [t, Number(v)]).filter(([, v]) => Number.isFinite(v));
  const most = Math.max(...points.map(([, v]) => v), 0) || 1;
  return svg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('polyline', { points: points.map(([t, v]) => `${(100 * (t - start) / (end - start)).toFixed(2)},${(23 - 22 * v / most).toFixed(2)}`).join(' ') }));
}

function banner(alerts, watched) {
  const firing = alerts.filter((a) => a.state === 'firing');
  const critical = firing.some((a) => a.labels.severity === 'critical');
  const [words, kind, note] = firing.length ? [text('wrong')(firing.length), critical ? 'critical' : 'warning', '']
    : watched ? [text('fine'), 'good', text('fineNote')(watched)]
      : [text('noRules'), 'warning', text('noRulesNote')];
  return h('div', { class: `state ${kind}`, role: 'status' }, words, h('small', {}, note));
}

function byName(alerts) {
  const names = new Map();
  for (const a of alerts) names.set(a.labels.alertname, [...(names.get(a.labels.alertname) || []), a]);
  return [...names.values()];
}

/** The first of those with the same name, and the others behind a click. */
function group([first, ...others], changed) {
  return h('div', { class: 'same' }, alertCard(first, changed), others.length > 0
    && h('details', {}, h('summary', {}, text('moreOf')(others.length, first.labels.alertname)), others.map((a) => alertCard(a, changed))));
}

async function tileOf({ name, unit, expr }) {
  const value = h('div', { class: 'value' }, text('loading'));
  const line = h('div');
  const tile = h('div', { class: 'card tile', hidden: true, 'data-number': name }, h('div', { class: 'label' }, text(name)), value, line);
  return {
    tile,
    expr,
    show(v) {
      tile.hidden = v == null;
      value.textContent = format(v, unit);
    },
    async history() {
      const grid = lately(HOUR, 120);
      const { result } = await range(await fill(expr, grid.step), grid);
      if (result.length) line.replaceChildren(spark(result[0].values, grid.start, grid.end));
    },
  };
}

export function render(element) {
  const state = h('div'), list = h('div'), tiles = h('div', { class: 'tiles' });
  const soon = h('details', { hidden: true });
  let over = false, stop = () => {};

  async function alerts() {
    const [all, { groups }] = await Promise.all([allAlerts(), get('rules', { type: 'alert', exclude_alerts: true })]);
    if (over) return;
    state.replaceChildren(banner(all, groups.reduce((n, g) => n + g.rules.length, 0)));
    // What is open stays until it was used.
    if (!list.querySelector('.menu button:focus, details[open]'))
      list.replaceChildren(...byName(all.filter((a) => a.state === 'firing')).map((same) => group(same, alerts)));
    const pending = all.filter((a) => a.state === 'pending');
    soon.hidden = !pending.length;
    if (!soon.open) soon.replaceChildren(h('summary', {}, text('pendingNote')(pending.length)), ...pending.map((a) => alertCard(a, alerts)));
  }

  async function numbers() {
    const all = await Promise.all((await plain('/console/numbers')).map(tileOf));
    if (over) return;
    tiles.replaceChildren(...all.map((t) => t.tile));
    const queries = await Promise.all(all.map((t) => fill(t.expr, 0)));
    stop = stream('live', { query: queries, interval: '5s' }, {
      samples: ({ results }) => { results.forEach((r, i) => all[i].show(first(r))); alerts().catch(() => {}); },
    });
    if (over) stop();
    await Promise.all(all.map((t) => t.history()));
  }

  element.append(h('h1', {}, text('overview')), state, list, tiles, soon);
  const failed = (where) => (error) => where.replaceChildren(failure(error));
  alerts().catch(failed(state));
  numbers().catch(failed(tiles));
  return () => { over = true; stop(); };
}
