// Each GPU at a glance, who uses it, what happened to it; and its panels.
import { format, h, meter, nothing, table } from './dom.js';
import { query, repeat, stream } from './api.js';
import { dashboard } from './dashboard.js';
import { text } from './text.js';

const NOW = {
  up: 'gpu_up', utilisation: 'DCGM_FI_DEV_GPU_UTIL', used: 'DCGM_FI_DEV_FB_USED', total: 'DCGM_FI_DEV_FB_TOTAL',
  temperature: 'DCGM_FI_DEV_GPU_TEMP', power: 'DCGM_FI_DEV_POWER_USAGE', limit: 'DCGM_FI_DEV_ENFORCED_POWER_LIMIT',
  throttle: 'gpu_throttle == 1', process: 'gpu_process_memory_bytes',
};
const NAMES = Object.keys(NOW);
// MIG instances have their own series beside their GPU's.
const whole = (metric) => !metric.GPU_I_ID;

function read(results) {
  const gpus = new Map(), processes = [];
  results.forEach((r, i) => (r.result || []).forEach(({ metric, value }) => {
    const key = `${metric.instance} ${metric.gpu}`, name = NAMES[i], v = Number(value[1]);
    if (!gpus.has(key)) gpus.set(key, { gpu: metric.gpu, instance: metric.instance, throttle: [] });
    const g = gpus.get(key);
    g.model = metric.modelName || g.model;
    if (name === 'throttle') g.throttle.push(metric.reason);
    else if (name === 'process') processes.push({ ...metric, bytes: v });
    else if (whole(metric)) g[name] = v;
  }));
  return {
    gpus: [...gpus.values()].sort((a, b) => a.instance.localeCompare(b.instance) || Number(a.gpu) - Number(b.gpu)),
    processes: processes.sort((a, b) => b.bytes - a.bytes),
  };
}

function card(g) {
  const pairs = [
    [text('temperature'), format(g.temperature, 'celsius')],
    [text('power'), g.limit ? `${format(g.power, 'watt')} / ${format(g.limit, 'watt')}` : format(g.power, 'watt')],
  ];
  return h('article', { class: 'card', 'data-gpu': g.gpu },
    h('h2', {}, `GPU ${g.gpu} `, h('span', { class: 'soft' }, g.model || '')),
    g.up === 0 ? h('p', { class: 'bad' }, text('lost')) : [
      h('div', { class: 'note' }, `${text('utilisation')} ${format(g.utilisation, 'percent')}`),
      meter(text('utilisation'), g.utilisation / 100 || 0),
      h('div', { class: 'note' }, `${text('memory')} ${format(g.used, 'decmbytes')} / ${format(g.total, 'decmbytes')}`),
      meter(text('memory'), g.used / g.total || 0),
      h('dl', { class: 'pairs' }, pairs.map(([k, v]) => [h('dt', {}, k), h('dd', {}, v)])),
      g.throttle.length > 0 && h('p', { class: 'warning note' }, `${text('throttled')}: ${g.throttle.join(', ')}`),
    ]);
}

const processTable = (rows) => (rows.length ? table([
  { title: 'GPU', of: (p) => p.gpu },
  { title: text('process'), of: (p) => h('code', {}, p.process || '') },
  { title: text('pid'), number: true, of: (p) => p.pid },
  { title: text('memory'), number: true, of: (p) => format(p.bytes, 'bytes') },
], rows) : nothing(text('noProcesses')));

async function events() {
  const [xids, lost] = await Promise.all([
    query('sum by (instance, gpu, xid) (increase(gpu_xid_errors_total[24h])) > 0'),
    query('count_over_time((gpu_up == 0)[24h:1m]) > 0'),
  ]);
  const rows = [
    ...xids.result.map((s) => ({ gpu: s.metric.gpu, event: `XID ${s.metric.xid}`, count: Math.round(Number(s.value[1])) })),
    ...lost.result.map((s) => ({ gpu: s.metric.gpu, event: text('lost'), count: `${s.value[1]} ${text('min')}` })),
  ];
  return rows.length ? table([
    { title: 'GPU', of: (r) => r.gpu }, { title: text('event'), of: (r) => r.event }, { title: text('count'), number: true, of: (r) => r.count },
  ], rows) : nothing(text('noEvents'));
}

export function render(element, parameters) {
  const cards = h('div', { class: 'tiles gpus' }), processes = h('div'), past = h('div');
  const head = h('div', {}, cards, h('h2', {}, text('processes')), processes, h('h2', {}, text('events')), past, h('h2', {}, text('graph')));
  const tell = () => events().then((e) => past.replaceChildren(e)).catch(() => {});

  const stop = stream('live', { query: Object.values(NOW), interval: '5s' }, {
    samples({ results }) {
      const now = read(results);
      cards.replaceChildren(...(now.gpus.length ? now.gpus.map(card) : [nothing(text('noGpus'))]));
      processes.replaceChildren(processTable(now.processes));
    },
  });
  const quiet = repeat(tell, 60);
  const end = dashboard('gpu', element, parameters, head);
  return () => { stop(); quiet(); end(); };
}
