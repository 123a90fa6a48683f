// What the console asks the monitor: Prometheus' API, Alertmanager's, and the
// stream of answers.

let said = () => {};
/** f(true) when the monitor does not answer, f(false) when it does again. */
export const onOffline = (f) => { said = f; };

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name !== 'AbortError') said(true);
    throw error;
  }
  said(false);
  const body = await reply.text();
  let value;
  try { value = JSON.parse(body); } catch { value = body; }
  if (!reply.ok) throw new Error(value.error || value || `${reply.status}`);
  return value;
}

const form = (parameters) => new URLSearchParams(
  Object.entries(parameters).flatMap(([k, v]) => (Array.isArray(v) ? v.map((one) => [k, one]) : v == null ? [] : [[k, v]])));

/** Of /api/v1/...: the data. */
export const get = async (path, parameters = {}, signal) => (await ask(`/api/v1/${path}?${form(parameters)}`, { signal })).data;
/** Of any other path: the body. */
export const plain = (path) => ask(path);
export const send = (method, path, body) => ask(path, {
  method,
  headers: { 'Content-Type': 'application/json' },
  body: body && JSON.stringify(body),
});

export const query = (expression, signal) => get('query', { query: expression }, signal);
export const range = (expression, { start, end, step }, signal) =>
  get('query_range', { query: expression, start, end, step }, signal);

/** The first value of an instant vector, or null. */
export const first = (data) => (data && data.result && data.result.length
  ? Number(data.resultType === 'scalar' ? data.result[1] : data.result[0].value[1]) : null);

/** While somebody sees the page: open() when it is seen, close() when not. Returns what ends it. */
function whileSeen(open, close) {
  const look = () => (document.hidden ? close() : open());
  document.addEventListener('visibilitychange', look);
  look();
  return () => { document.removeEventListener('visibilitychange', look); close(); };
}

/** f() now and every so many seconds, until the returned function is called. */
export function repeat(f, seconds) {
  let timer;
  return whileSeen(() => { f(); timer = setInterval(f, seconds * 1000); }, () => clearInterval(timer));
}

/** Server-sent events until the returned function is called. */
export function stream(path, parameters, events) {
  let source = null;
  const open = () => {
    source = new EventSource(`/api/v1/${path}?${form(parameters)}`);
    source.onopen = () => said(false);
    source.onerror = () => said(true);
    for (const [name, f] of Object.entries(events))
      source.addEventListener(name, (e) => f(JSON.parse(e.data)));
  };
  const close = () => { if (source) source.close(); source = null; };
  return whileSeen(open, close);
}

/** How many seconds a rate looks back: four scrapes of the slowest target. */
let window;
export async function rateWindow(step) {
  if (!window) {
    const { activeTargets } = await get('targets', { state: 'active' });
    const seconds = activeTargets.map((t) => parseDuration(t.scrapeInterval));
    window = Math.max(15, 4 * Math.max(1, ...seconds.filter(Number.isFinite)));
  }
  return Math.max(window, step);
}

export function parseDuration(words) {
  const unit = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };
  let total = 0;
  for (const [, n, u] of String(words).matchAll(/(\d+)(ms|[smhdwy])/g)) total += n * unit[u];
  return total;
}

/** The range that ends now, in steps for about so many points. */
export function lately(seconds, points = 360) {
  const step = Math.max(1, Math.ceil(seconds / points / 5) * 5 || 1);
  const end = Math.floor(Date.now() / 1000);
  return { start: end - Math.floor(seconds / step) * step, end, step };
}
