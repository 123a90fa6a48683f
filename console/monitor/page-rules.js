// What is watched: groups of rules, and what became of each.
import { ago, duration, failure, h, nothing, table } from './dom.js';
import { get, repeat } from './api.js';
import { chinese, text } from './text.js';

const stateOf = (r) => (r.health === 'err' ? 'err' : r.state || r.health);
const KIND = { firing: 'bad', err: 'bad', pending: 'warning', ok: 'good', inactive: 'good' };

const badge = (r) => h('span', { class: `badge ${KIND[stateOf(r)] || 'soft'}` }, text(stateOf(r)));
const summary = (r) => (chinese() && r.annotations?.summary_zh) || r.annotations?.summary || '';

function group(g, rules) {
  return [h('h2', {}, `${g.name} `, h('span', { class: 'note' }, `${g.file ? `${g.file} · ` : ''}${text('every')(duration(g.interval))}`)), table([
    { title: text('state'), of: badge },
    { title: text('rule'), of: (r) => h('div', {}, h('b', {}, r.name), h('div', { class: 'note' }, summary(r))) },
    { title: text('query'), of: (r) => h('a', { href: `#/explore?${new URLSearchParams({ q: r.query })}` }, h('code', {}, r.query)) },
    { title: text('lastEvaluation'), of: (r) => (r.lastEvaluation.startsWith('0001') ? '–' : ago(r.lastEvaluation)) },
    { title: text('why'), of: (r) => h('span', { class: 'error' }, r.lastError || '') },
  ], rules)];
}

export function render(element) {
  const list = h('div');
  let only = false;

  async function show() {
    const { groups } = await get('rules');
    const parts = groups.flatMap((g) => {
      const rules = only ? g.rules.filter((r) => ['firing', 'pending', 'err'].includes(stateOf(r))) : g.rules;
      return rules.length ? group(g, rules) : [];
    });
    list.replaceChildren(...(parts.length ? parts : [nothing(text(groups.length ? 'noAlerts' : 'noRules'))]));
  }
  const failed = (error) => list.replaceChildren(failure(error));
  const toggle = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
    only = !only;
    toggle.setAttribute('aria-pressed', String(only));
    show().catch(failed);
  } }, text('showFiring'));

  element.append(h('div', { class: 'bar' }, h('h1', {}, text('rules')), toggle), list);
  return repeat(() => show().catch(failed), 15);
}
