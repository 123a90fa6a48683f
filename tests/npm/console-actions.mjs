// What a person does with the console: node console-actions.mjs URL FOLDER REQUEST_ID
// Prints a line of JSON for each thing done, with what was seen.
import { launch, open } from './browser.mjs';

const [url, folder, requestId] = process.argv.slice(2);
const browser = await launch();
const tell = (what, seen) => console.log(JSON.stringify({ what, ...seen }));
const texts = (page, selector) => page.locator(selector).allTextContents();
const to = async (page, name, ready) => {
  await page.goto(`${url}/#/${name}`);
  await page.waitForFunction((n) => document.getElementById('page').dataset.page === n, name);
  await page.locator(ready).first().waitFor();
};

const page = await open(browser, url, { locale: 'en-US', viewport: { width: 1280, height: 900 } });

// What is wrong, since when, what to do; and silenced with two clicks.
await to(page, 'overview', '.alert.is-critical');
tell('wrong', { state: await page.locator('.state').textContent(), alert: await page.locator('.alert.is-critical').first().textContent() });
await page.screenshot({ path: `${folder}/wrong.png`, fullPage: true });
await page.locator('.alert.is-critical').getByRole('button', { name: 'Silence' }).click();
await page.getByRole('button', { name: '1 h', exact: true }).click();
await page.locator('.state.good').waitFor();
tell('silenced', { state: await page.locator('.state').textContent() });
await to(page, 'alerts', '.alert.is-suppressed');
await page.locator('table').first().waitFor();
tell('silences', { rows: await texts(page, 'tbody tr') });
await page.screenshot({ path: `${folder}/silenced.png`, fullPage: true });
await page.getByRole('button', { name: 'End now' }).click();
await page.locator('.alert.is-critical').waitFor();
tell('expired', { alerts: await texts(page, '.alert h2') });

// Language and colours are kept.
await page.getByRole('button', { name: '中文' }).click();
await page.getByRole('heading', { name: '告警', level: 1 }).waitFor();
await page.getByRole('button', { name: '深色' }).click();
await page.reload();
await page.getByRole('heading', { name: '告警', level: 1 }).waitFor();
tell('kept', { lang: await page.evaluate(() => document.documentElement.lang), theme: await page.evaluate(() => document.documentElement.dataset.theme) });
await page.getByRole('button', { name: '浅色' }).click();
await page.getByRole('button', { name: 'English' }).click();

// A query with completion, as a graph and as a table; a mistake; the address keeps it.
await to(page, 'explore', '.uplot');
const area = page.getByLabel('PromQL query');
// Those for the whole word: each letter asks anew, and the answers come a moment later.
const suggestions = async (word) => {
  await page.waitForFunction((w) => {
    const names = [...document.querySelectorAll('.choices:not([hidden]) li span:first-child')];
    return names.length && names.every((n) => n.textContent.includes(w));
  }, word);
  return texts(page, '.choices li span:first-child');
};
await area.fill('');
await area.pressSequentially('sum by (job) (scrape_samples_scr');
tell('metrics', { choices: await suggestions('scrape_samples_scr') });
await page.keyboard.press('Tab');
await area.pressSequentially('{jo');
tell('labels', { choices: await suggestions('jo') });
await page.keyboard.press('Tab');
await area.pressSequentially('="st');
tell('values', { choices: await suggestions('st') });
await page.keyboard.press('Tab');
await area.pressSequentially('"})');
await page.keyboard.press('Enter');
await page.locator('.uplot').waitFor();
tell('graph', { query: await area.inputValue(), legend: await texts(page, '.legend button') });
await page.getByRole('button', { name: 'Table' }).click();
await page.locator('tbody tr').first().waitFor();
tell('table', { rows: await texts(page, 'tbody tr') });
await page.reload();
await page.locator('tbody tr').first().waitFor();
tell('kept query', { query: await page.getByLabel('PromQL query').inputValue() });
page.allowed.push(/400/); // the browser says of it that it failed, and so it did
await page.getByLabel('PromQL query').fill('sum(');
await page.getByRole('button', { name: 'Run' }).click();
await page.locator('.error').waitFor();
tell('mistake', { error: await page.locator('.error').textContent() });
page.allowed.pop();

// Charts move by themselves: one of them does, whichever it is.
await to(page, 'service', '.panel .uplot');
const first = await texts(page, '.panel .legend b');
await page.waitForFunction((was) => [...document.querySelectorAll('.panel .legend b')].some((b, i) => b.textContent !== was[i]), first, { timeout: 120000 });
tell('live', { first, later: await texts(page, '.panel .legend b'), models: await texts(page, 'tbody tr') });

// One request among all lines.
await to(page, 'logs', '.lines div');
await page.getByLabel('Request id').fill(requestId);
await page.getByLabel('Request id').press('Enter');
await page.waitForFunction(() => document.querySelectorAll('.lines div').length === 1);
tell('request', { lines: await texts(page, '.lines div') });
await page.getByLabel('Request id').fill('');
await page.getByLabel('Request id').press('Enter');
await page.getByLabel('Level').selectOption('error');
await page.waitForFunction(() => /No line/.test(document.querySelector('.note').textContent));
tell('errors', { note: await page.locator('.note').textContent() });

// What is watched, and what is scraped.
await to(page, 'rules', 'tbody tr');
const all = await page.locator('tbody tr').count();
await page.getByRole('button', { name: 'Only those that fire' }).click();
await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length < n, all);
tell('rules', { all, firing: await texts(page, 'tbody tr b') });
await to(page, 'targets', 'tbody tr');
tell('targets', { states: await texts(page, 'tbody tr td:first-child') });

// A link of an alert leads to the query.
await page.goto(`${url}/graph?g0.expr=sum%28up%29+%3E+0&g0.tab=1`);
await page.locator('#result tbody tr').first().waitFor();
tell('link', { address: page.url().slice(url.length), query: await page.locator('textarea').inputValue() });

// The monitor is gone for a while.
await to(page, 'targets', 'tbody tr');
page.allowed.push(/ERR_/);
await page.context().setOffline(true);
await page.locator('#offline').waitFor({ timeout: 60000 });
tell('offline', { words: await page.locator('#offline').textContent() });
await page.context().setOffline(false);
await page.locator('#offline').waitFor({ state: 'hidden', timeout: 60000 });
tell('online', {});
await browser.close();
