// Which page is shown, in which language and colours.
import { h } from './dom.js';
import { onOffline } from './api.js';
import { arrive, where } from './route.js';
import { chinese, remember, remembered, switchLanguage, text } from './text.js';

// Each page is a module of its own: render(element, parameters) draws it
// and returns a function that ends what it began.
const pages = ['overview', 'service', 'gpu', 'host', 'alerts', 'explore', 'targets', 'rules', 'logs'];

const page = document.getElementById('page');
let end = null;
let shown = 0;

const dark = () => (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';

function header(name) {
  document.documentElement.lang = chinese() ? 'zh-CN' : 'en';
  document.title = `${text(name)} – Stoker`;
  document.getElementById('skip').textContent = text('skip');
  document.getElementById('language').textContent = text('other');
  document.getElementById('theme').textContent = text(dark() ? 'light' : 'dark');
  document.getElementById('offline').textContent = text('offline');
  const nav = document.getElementById('nav');
  nav.setAttribute('aria-label', text('menu'));
  nav.replaceChildren(...pages.map((p) => h('a', { href: `#/${p}`, 'aria-current': p === name && 'page' }, text(p))));
  nav.querySelector('[aria-current]').scrollIntoView({ inline: 'center', block: 'nearest' }); // on a phone the bar is wider than the screen
}

async function show() {
  const { name, parameters } = where(pages);
  const mine = ++shown;
  if (end) end();
  end = null;
  header(name);
  const module = await import(`/console/page-${name}.js`);
  if (mine !== shown) return;
  const element = h('div', { class: 'page' });
  page.replaceChildren(element);
  page.dataset.page = name;
  end = module.render(element, parameters);
}

arrive();
document.documentElement.dataset.theme = remembered('theme') || '';
document.getElementById('language').addEventListener('click', () => { switchLanguage(); show(); });
document.getElementById('theme').addEventListener('click', () => {
  const theme = dark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  remember('theme', theme);
  show();
});
onOffline((is) => { document.getElementById('offline').hidden = !is; });
addEventListener('hashchange', show);
show();
