// What is scraped, and what came of it.
import { ago, failure, format, h, labels, nothing, table } from './dom.js';
import { get, repeat } from './api.js';
import { text } from './text.js';

const state = (t) => h('span', { class: `badge ${{ up: 'good', down: 'bad' }[t.health] || 'soft'}` }, text(t.health));

// Those that are no URL are of the monitor itself.
const inside = { 'the backups': 'ofBackups', 'the doctor': 'ofDoctor', 'the GPUs': 'ofGpus', 'this machine': 'ofMachine' };
const address = (t) => (inside[t.scrapeUrl] ? text(inside[t.scrapeUrl]) : h('code', {}, t.scrapeUrl));

export function render(element) {
  const list = h('div');
  async function show() {
    const { activeTargets } = await get('targets', { state: 'active' });
    const rank = (t) => (t.health === 'down' ? 0 : 1);
    activeTargets.sort((a, b) => rank(a) - rank(b) || a.scrapePool.localeCompare(b.scrapePool) || a.scrapeUrl.localeCompare(b.scrapeUrl));
    list.replaceChildren(activeTargets.length ? table([
      { title: text('state'), of: state },
      { title: text('url'), of: address },
      { title: text('labels'), of: (t) => labels(t.labels) },
      { title: text('lastScrape'), of: (t) => (t.lastScrape.startsWith('0001') ? '–' : ago(t.lastScrape)) },
      { title: text('duration'), number: true, of: (t) => format(t.lastScrapeDuration, 's') },
      { title: text('why'), of: (t) => h('span', { class: 'error' }, t.lastError) },
    ], activeTargets) : nothing(text('noTargets')));
  }
  const failed = (error) => list.replaceChildren(failure(error));

  element.append(h('h1', {}, text('targets')), list);
  return repeat(() => show().catch(failed), 5);
}
