// Completion for PromQL: functions, metrics, labels and their values, by where
// the caret stands.
import { h } from './dom.js';
import { get, plain } from './api.js';
import { text } from './text.js';

const WORDS = ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'offset', 'bool', 'and', 'or', 'unless', 'sum', 'avg', 'min', 'max', 'count',
  'topk', 'bottomk', 'quantile', 'stddev', 'stdvar', 'group', 'count_values'];
const MOST = 50;

/**
 * Where the caret stands in text: {word, from, kind, metric, label}. The word
 * is what is written so far of a name (kind 'name'), of a label ('label') or of
 * a label's value ('value').
 */
export function placeOf(text, caret) {
  const before = text.slice(0, caret);
  let brace = -1, quote = '', quoteAt = 0;
  for (let i = 0; i < before.length; i++) {
    const c = before[i];
    if (quote) {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") { quote = c; quoteAt = i; } else if (c === '{') brace = i;
    else if (c === '}') brace = -1;
  }
  const metric = brace >= 0 ? (before.slice(0, brace).match(/[a-zA-Z_:][\w:]*$/) || [''])[0] : '';
  if (quote && brace >= 0) {
    const label = (before.slice(brace + 1, quoteAt).match(/(\w+)\s*(?:=~|!~|!=|=)\s*$/) || [])[1];
    return label ? { kind: 'value', label, metric, word: before.slice(quoteAt + 1), from: quoteAt + 1 } : null;
  }
  if (quote) return null;
  const word = before.match(/[a-zA-Z_:][\w:]*$/)?.[0] ?? '';
  const inList = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*$/.test(before);
  const kind = brace >= 0 || inList ? 'label' : 'name';
  // Digits and units (5m) are no names.
  if (kind === 'name' && (!word || /[\d.]$/.test(before.slice(0, caret - word.length)))) return null;
  return { kind, metric, word, from: caret - word.length };
}

let names;
async function allNames() {
  const [metrics, functions] = await Promise.all([get('label/__name__/values'), plain('/console/functions')]);
  return [...metrics.map((name) => ({ name, what: text('metricWord') })),
    ...functions.map((name) => ({ name, what: text('functionWord'), behind: '(' })),
    ...WORDS.map((name) => ({ name, what: text('keyword') }))];
}

async function candidates(place) {
  const match = place.metric ? { 'match[]': place.metric } : {};
  if (place.kind === 'value')
    return (await get(`label/${place.label}/values`, match)).map((name) => ({ name, what: text('valueWord') }));
  if (place.kind === 'label')
    return (await get('labels', match)).filter((l) => l !== '__name__').map((name) => ({ name, what: text('labelWord') }));
  names ??= allNames();
  return names;
}

/** Those that begin with the word before those that have it somewhere. */
function ranked(all, word) {
  const w = word.toLowerCase();
  const begin = [], within = [];
  for (const c of all) {
    const at = c.name.toLowerCase().indexOf(w);
    if (at === 0) begin.push(c);
    else if (at > 0) within.push(c);
  }
  return [...begin, ...within].slice(0, MOST);
}

/** A textarea that completes; Enter runs, Shift+Enter is a new line. */
export function editor(value, run) {
  const list = h('ul', { class: 'choices', role: 'listbox', id: 'choices', 'aria-label': text('suggestions'), hidden: true });
  const area = h('textarea', {
    rows: 3, spellcheck: 'false', autocomplete: 'off', 'aria-label': text('query'), 'aria-autocomplete': 'list', 'aria-controls': 'choices', value,
  });
  let choices = [], chosen = -1, place = null, asked = 0;

  function close() {
    list.hidden = true;
    choices = [];
    chosen = -1;
    area.removeAttribute('aria-activedescendant');
  }
  function mark(i) {
    chosen = (i + choices.length) % choices.length;
    [...list.children].forEach((li, k) => li.setAttribute('aria-selected', String(k === chosen)));
    area.setAttribute('aria-activedescendant', `choice-${chosen}`);
    list.children[chosen].scrollIntoView({ block: 'nearest' });
  }
  function take(i) {
    const c = choices[i], put = c.name + (c.behind || '');
    area.setRangeText(put, place.from, area.selectionEnd, 'end');
    close();
    area.focus();
  }
  async function open() {
    const mine = ++asked;
    place = placeOf(area.value, area.selectionEnd);
    if (!place) return close();
    const here = place;
    let all;
    try { all = await candidates(here); } catch { return close(); }
    if (mine !== asked) return null;
    choices = ranked(all, here.word).filter((c) => c.name !== here.word);
    if (!choices.length) return close();
    list.replaceChildren(...choices.map((c, i) => h('li', {
      role: 'option', id: `choice-${i}`, 'aria-selected': 'false', onmousedown: (e) => { e.preventDefault(); take(i); },
    }, h('span', {}, c.name), h('span', { class: 'soft' }, c.what))));
    list.hidden = false;
    chosen = -1;
    return null;
  }

  area.addEventListener('input', open);
  area.addEventListener('blur', close);
  area.addEventListener('keydown', (e) => {
    const shown = !list.hidden;
    if (shown && e.key === 'ArrowDown') mark(chosen + 1);
    else if (shown && e.key === 'ArrowUp') mark(chosen - 1);
    else if (shown && e.key === 'Tab') take(Math.max(chosen, 0));
    else if (shown && e.key === 'Escape') close();
    else if (shown && e.key === 'Enter' && chosen >= 0) take(chosen);
    else if (e.key === 'Enter' && !e.shiftKey) { close(); run(area.value); } else return;
    e.preventDefault();
  });
  return { element: h('div', { class: 'editor' }, area, list), value: () => area.value };
}
