// The page and its choices, as the part of the address behind the #.

export function where(pages) {
  const [path, parameters] = location.hash.slice(1).split('?');
  const name = path.replace('/', '');
  return { name: pages.includes(name) ? name : pages[0], parameters: new URLSearchParams(parameters) };
}

/** A link to a page of Prometheus, as alerts have them, becomes one of ours. */
export function arrive() {
  const page = { '/alerts': 'alerts', '/graph': 'explore', '/query': 'explore', '/rules': 'rules', '/targets': 'targets' }[location.pathname];
  if (!page) return;
  const given = new URLSearchParams(location.search), q = given.get('g0.expr');
  history.replaceState(null, '', '/');
  keep(page, q ? { q, view: given.get('g0.tab') === '1' ? 'table' : 'graph' } : {});
}

/** Remembers what was chosen without drawing the page anew. */
export function keep(name, parameters) {
  const words = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v)).toString();
  history.replaceState(null, '', `#/${name}${words ? `?${words}` : ''}`);
}
