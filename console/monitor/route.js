// The page and its choices, as the part of the address behind the #.

export function where(pages) {
  const [path, parameters] = location.hash.slice(1).split('?');
  const name = path.replace('/', '');
  return { name: pages.includes(name) ? name : pages[0], parameters: new URLSearchParams(parameters) };
}

/** Remembers what was chosen without drawing the page anew. */
export function keep(name, parameters) {
  const words = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v)).toString();
  history.replaceState(null, '', `#/${name}${words ? `?${words}` : ''}`);
}
