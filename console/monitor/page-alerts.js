// Alerts of now, what is silenced, what was.
import { clock, duration, failure, h, labels, nothing, table } from './dom.js';
import { lately, plain, range, repeat, send } from './api.js';
import { text } from './text.js';
import { alertCard, allAlerts } from './alert-view.js';

const DAY = 86400;

const matcher = (m) => `${m.name}${m.isRegex ? (m.isEqual ? '=~' : '!~') : (m.isEqual ? '=' : '!=')}"${m.value}"`;

function silenceTable(silences, changed) {
  const open = silences.filter((s) => s.status.state !== 'expired');
  return open.length ? table([
    { title: text('matchers'), of: (s) => h('div', { class: 'labels' }, s.matchers.map((m) => h('span', {}, matcher(m)))) },
    { title: text('until'), of: (s) => clock(s.endsAt) },
    { title: text('by'), of: (s) => s.createdBy },
    { title: text('comment'), of: (s) => s.comment },
    { title: '', of: (s) => h('button', {
      type: 'button',
      onclick: async () => { await send('DELETE', `/api/v2/silence/${s.id}`); changed(); },
    }, text('expire')) },
  ], open) : nothing(text('noSilences'));
}

/** When each alert fired, from the series ALERTS: a gap in it is an end. */
async function past() {
  const grid = lately(DAY, 1440);
  const { result } = await range('ALERTS{alertstate="firing"}', grid);
  const times = [];
  for (const { metric, values } of result) {
    const { __name__: _, alertstate: __, ...set } = metric;
    let began = null, last = null;
    for (const [t] of values) {
      if (last != null && t - last > 1.5 * grid.step) { times.push({ set, began, ended: last }); began = null; }
      began ??= t;
      last = t;
    }
    times.push({ set, began, ended: last >= grid.end - grid.step ? null : last });
  }
  return times.sort((a, b) => b.began - a.began);
}

function pastTable(times) {
  return times.length ? table([
    { title: text('alert'), of: ({ set }) => set.alertname },
    { title: text('began'), of: (t) => clock(t.began * 1000) },
    { title: text('lasted'), of: (t) => (t.ended ? duration(t.ended - t.began) : text('still')) },
    { title: text('labels'), of: ({ set: { alertname: _, ...rest } }) => labels(rest) },
  ], times) : nothing(text('noHistory'));
}

export function render(element) {
  const list = h('div'), silences = h('div'), history = h('div');
  let over = false;

  async function now() {
    const [all, silent] = await Promise.all([allAlerts(), plain('/api/v2/silences')]);
    if (over) return;
    if (!list.querySelector('.menu button:focus'))
      list.replaceChildren(...(all.length ? all.map((a) => alertCard(a, refresh)) : [nothing(text('noAlerts'))]));
    silences.replaceChildren(silenceTable(silent, refresh));
  }
  const failed = (error) => list.replaceChildren(failure(error));
  const refresh = () => { document.activeElement?.blur(); now().catch(failed); };

  element.append(h('h1', {}, text('alerts')), list, h('h2', {}, text('silences')), silences, h('h2', {}, text('history')), history);
  past().then((t) => history.replaceChildren(pastTable(t))).catch(failed);
  const stop = repeat(() => now().catch(failed), 5);
  return () => { over = true; stop(); };
}
