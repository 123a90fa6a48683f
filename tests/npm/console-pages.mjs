// Every page of the console, in both languages, light and dark, on a desk and on
// a phone: node console-pages.mjs URL FOLDER. Prints a line of JSON for each,
// with what axe found; pictures go to the folder.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fail, launch, open } from './browser.mjs';

const [url, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pages = ['overview', 'service', 'gpu', 'host', 'alerts', 'explore', 'targets', 'rules', 'logs'];
const looks = [
  { name: 'en', locale: 'en-US', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'zh', locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { name: 'phone', locale: 'en-US', colorScheme: 'light', viewport: { width: 390, height: 800 } },
];

const browser = await launch();
const plain = await open(browser, url);
await plain.goto(`${url}/`);
const texts = await plain.evaluate(async () => (await import('/console/text.js')).texts);
for (const [one, other] of [['en', 'zh'], ['zh', 'en']])
  for (const key of Object.keys(texts[one])) if (!(key in texts[other])) fail(`text '${key}' is not there in ${other}`);
await plain.close();
for (const { name, ...look } of looks) {
  for (const which of pages) {
    const page = await open(browser, url, { ...look, bypassCSP: true }); // axe is put in from here
    await page.goto(`${url}/#/${which}`);
    await page.waitForFunction((p) => document.getElementById('page').dataset.page === p && document.querySelector('#page h1'), which);
    await page.waitForTimeout(1500); // charts are drawn, an event has come
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
    await page.addScriptTag({ content: axe });
    const found = await page.evaluate(() => window.axe.run());
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    const place = await page.locator('#nav [aria-current]').boundingBox();
    if (place.x < 0 || place.x + place.width > look.viewport.width) fail(`the menu does not show where one is: ${name} ${which}`);
    console.log(JSON.stringify({
      look: name,
      page: which,
      title: await page.locator('#page h1').first().textContent(),
      paint,
      wide,
      charts: await page.locator('.uplot').count(),
      axe: found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`),
    }));
    await page.screenshot({ path: `${folder}/${which}-${name}.png`, fullPage: true });
    await page.close();
  }
}
await browser.close();
