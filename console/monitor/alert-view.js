// Alerts as a person reads them, and how they are silenced.
import { clock, duration, format, h, labels } from './dom.js';
import { get, plain, send } from './api.js';
import { chinese, text } from './text.js';

const LENGTHS = [['1h', 1], ['4h', 4], ['1d', 24], ['1w', 168]];
const RANK = { firing: 0, suppressed: 1, pending: 2 };

const keyOf = (set) => JSON.stringify(Object.entries(set).sort());

/** All alerts, the worst first: {labels, annotations, state, since, value, silencedBy, inhibitedBy}. */
export async function allAlerts() {
  const [rules, people] = await Promise.all([get('alerts'), plain('/api/v2/alerts')]);
  const known = new Map(people.map((a) => [keyOf(a.labels), a]));
  const list = rules.alerts.map((a) => {
    const told = known.get(keyOf(a.labels));
    known.delete(keyOf(a.labels));
    return { ...a, since: a.activeAt, told, value: Number(a.value) };
  });
  // Those that others sent to the monitor.
  for (const told of known.values()) list.push({ ...told, state: 'firing', since: told.startsAt, told });
  for (const a of list) {
    a.silencedBy = a.told?.status.silencedBy ?? [];
    a.inhibitedBy = a.told?.status.inhibitedBy ?? [];
    if (a.state === 'firing' && a.told?.status.state === 'suppressed') a.state = 'suppressed';
  }
  const severe = (a) => (a.labels.severity === 'critical' ? 0 : 1);
  return list.sort((a, b) => RANK[a.state] - RANK[b.state] || severe(a) - severe(b) || new Date(a.since) - new Date(b.since));
}

const annotation = (a, name) => (chinese() && a.annotations[`${name}_zh`]) || a.annotations[name];

async function silence(alert, hours) {
  const now = Date.now();
  await send('POST', '/api/v2/silences', {
    matchers: Object.entries(alert.labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + hours * 3600000).toISOString(),
    createdBy: 'console',
    comment: text('silenceComment'),
  });
}

/** The first click asks for how long, the second does it. */
function silenceMenu(alert, changed) {
  const menu = h('span', { class: 'menu' });
  const closed = () => menu.replaceChildren(h('button', { type: 'button', onclick: open }, text('silence')));
  const open = () => {
    menu.replaceChildren(h('span', { class: 'soft' }, text('silenceFor')), ...LENGTHS.map(([, hours]) => h('button', {
      type: 'button',
      onclick: async () => {
        try {
          await silence(alert, hours);
          changed();
        } catch (error) {
          menu.replaceChildren(h('span', { class: 'error', role: 'alert' }, error.message));
        }
      },
    }, duration(hours * 3600))), h('button', { type: 'button', onclick: closed }, text('cancel')));
    menu.querySelector('button').focus();
  };
  closed();
  return menu;
}

export function alertCard(a, changed) {
  const severity = a.labels.severity;
  const { alertname, severity: _, ...rest } = a.labels;
  return h('article', { class: `card alert is-${a.state === 'firing' ? severity : a.state}` },
    h('div', { class: 'top' },
      h('h2', {}, alertname),
      severity && h('span', { class: `badge ${severity}` }, text(severity)),
      h('span', { class: `badge ${a.state === 'firing' ? 'bad' : 'soft'}` }, text(a.state)),
      h('span', { class: 'soft', title: clock(a.since) }, text('lasts')(duration(Math.max(0, (Date.now() - new Date(a.since)) / 1000)))),
      Number.isFinite(a.value) && h('span', { class: 'soft' }, `${text('value')} ${format(a.value)}`),
      a.inhibitedBy.length > 0 && h('span', { class: 'soft' }, text('inhibitedBy')),
      a.state !== 'suppressed' && silenceMenu(a, changed)),
    h('p', {}, annotation(a, 'summary') || annotation(a, 'description') || ''),
    annotation(a, 'runbook') && h('p', { class: 'runbook' }, h('b', {}, `${text('whatToDo')}: `), annotation(a, 'runbook')),
    labels(rest));
}
