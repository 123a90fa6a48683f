// How long a chart of the console takes to draw: node bench/console.mjs URL
// of a monitor. A panel of 50 series over 24 hours (a point a minute), and the
// twelve panels of 8 GPUs; medians of what Chromium says, without a GPU.
import { launch, open } from '../tests/npm/browser.mjs';

const [url] = process.argv.slice(2);
const browser = await launch();
const page = await open(browser, url, { viewport: { width: 1280, height: 900 } });
await page.goto(`${url}/#/targets`);
await page.waitForFunction(() => document.querySelector('#page h1'));
const took = await page.evaluate(async () => {
  const { Panel } = await import('/console/chart.js');
  const grid = { start: 1767225600, end: 1767225600 + 86400, step: 60 };
  const points = 1441, rounds = 21;
  const median = (v) => v.sort((a, b) => a - b)[v.length >> 1];
  const frame = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
  const result = (n) => Array.from({ length: n }, (_, i) => ({
    metric: { gpu: String(i) },
    values: Array.from({ length: points }, (__, k) => [grid.start + k * grid.step, String(50 + 40 * Math.sin(k / 50 + i))]),
  }));
  const out = {};
  for (const [name, panels, series] of [['1 panel, 50 series', 1, 50], ['12 panels, 8 series each', 12, 8]]) {
    const data = result(series);
    const all = Array.from({ length: panels }, () => new Panel({ title: 'x', unit: 'percent', targets: [{ expr: 'x', legendFormat: '{{gpu}}' }] }));
    document.getElementById('page').replaceChildren(...all.map((p) => p.element));
    const draws = [], adds = [], moves = [];
    for (let r = 0; r < rounds; r++) {
      let began = performance.now();
      all.forEach((p) => p.draw([data], grid));
      await frame();
      draws.push(performance.now() - began);
    }
    for (let r = 0; r < rounds; r++) {
      const time = grid.end + (r + 1) * grid.step;
      const began = performance.now();
      all.forEach((p) => p.add(time, [data.map((s) => ({ metric: s.metric, value: [time, String(r)] }))]));
      await frame();
      adds.push(performance.now() - began);
    }
    for (let r = 0; r < rounds; r++) {
      const began = performance.now();
      all[0].chart.setCursor({ left: 20 + 10 * r, top: 50 });
      await frame();
      moves.push(performance.now() - began);
    }
    out[name] = { draw: median(draws), add: median(adds), move: median(moves) };
    all.forEach((p) => p.end());
  }
  return out;
});
for (const [name, { draw, add, move }] of Object.entries(took))
  console.log(`${name}: drawn in ${draw.toFixed(1)} ms, a new point of each in ${add.toFixed(1)} ms, the cursor in ${move.toFixed(1)} ms (a frame is 16.7 ms)`);
await browser.close();
