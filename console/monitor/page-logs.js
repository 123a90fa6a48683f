// The newest lines of all processes, as they come.
import { clock, h, select } from './dom.js';
import { get, stream } from './api.js';
import { keep } from './route.js';
import { text } from './text.js';

const LEVELS = ['debug', 'info', 'warn', 'error'];
const MOST = 1000;
const KNOWN = ['@timestamp', 'log.level', 'message', 'event.action', 'ecs.version', 'service.name', 'process.name', 'process.pid', 'event.dataset'];

/** A request's line has no message: what a person would say of it. */
function words(line) {
  if (line.message != null) return [line['event.action'], line.message].filter(Boolean).join('  ');
  if (line['http.request.method'])
    return `${line['http.response.status_code']} ${line['http.request.method']} ${line['url.path']} ${(line['event.duration'] / 1e6).toFixed(2)} ms`;
  return line.raw ?? '';
}

function row(line) {
  const level = line['log.level'] || '';
  const kind = { error: 'bad', warn: 'warning' }[level] || 'soft';
  const rest = Object.entries(line).filter(([k]) => !KNOWN.includes(k) && !k.startsWith('http.') && k !== 'url.path' && k !== 'event.duration' && k !== 'raw');
  const id = line['http.request.id'];
  if (id) rest.push(['http.request.id', id]);
  return h('div', {}, h('time', {}, line['@timestamp'] ? clock(line['@timestamp']) : ''), ' ', h('span', { class: kind }, level.padEnd(5)), ' ',
    h('span', { class: 'soft' }, line['process.name'] || line['event.dataset'] || ''), ' ', words(line), ' ',
    h('span', { class: 'soft' }, rest.map(([k, v]) => `${k}=${v}`).join(' ')));
}

export function render(element, parameters) {
  const chosen = Object.fromEntries(parameters);
  const lines = h('div', { class: 'lines', role: 'log', tabindex: 0, 'aria-label': text('logs') });
  const note = h('span', { class: 'note', role: 'status' });
  let stop = () => {}, follows = true, count = 0, lost = 0;

  function tell() {
    note.textContent = text('logsNote')(count) + (lost ? ` · ${text('dropped')(lost)}` : '');
    if (!count) note.textContent = text('noLines');
  }
  function add(events) {
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(...events.map(row));
    while (lines.childElementCount > MOST) lines.firstElementChild.remove();
    count = lines.childElementCount;
    if (atEnd) lines.scrollTop = lines.scrollHeight;
    tell();
  }
  function start() {
    stop();
    keep('logs', chosen);
    lines.replaceChildren();
    count = lost = 0;
    const filter = { level: chosen.level, model: chosen.model, request_id: chosen.request_id, contains: chosen.contains, limit: MOST };
    if (follows) stop = stream('logs', filter, { lines: (e) => { lost += e.lost; add(e.lines); } });
    else get('logs', filter).then((e) => add(e.lines)).catch((error) => { note.textContent = error.message; });
    tell();
  }
  const box = (key, label) => h('label', {}, text(label), h('input', {
    type: 'search', value: chosen[key] || '', size: 14, onchange: (e) => { chosen[key] = e.target.value.trim(); start(); },
  }));
  const button = h('button', { type: 'button', 'aria-pressed': 'true', onclick: () => {
    follows = !follows;
    button.setAttribute('aria-pressed', String(follows));
    if (follows) start(); else { stop(); stop = () => {}; }
  } }, text('follow'));

  element.append(h('div', { class: 'bar' }, h('h1', {}, text('logs')),
    select(text('level'), [['', text('all')], ...LEVELS.map((l) => [l, l])], chosen.level || '', (v) => { chosen.level = v; start(); }),
    box('model', 'model'), box('request_id', 'requestId'), box('contains', 'contains'), button, note), lines);
  start();
  return () => stop();
}
