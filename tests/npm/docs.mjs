// Opens /docs in Chromium, sends the filled-in request from the page, in both
// languages, and takes a picture: node docs.mjs URL PICTURE
import { chromium } from 'playwright-core';

const [url, picture] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const fail = (what) => { console.error(what); process.exitCode = 1; };
for (const [locale, word] of [['en-US', 'Send'], ['zh-CN', '发送']]) {
  const page = await browser.newPage({ locale, viewport: { width: 1000, height: 900 } });
  page.on('requestfailed', (r) => fail(`request failed: ${r.url()}`));
  page.on('request', (r) => r.url().startsWith(url) || r.url().startsWith('data:') || fail(`leaves the server: ${r.url()}`));
  page.on('pageerror', (e) => fail(`page error: ${e}`));
  page.on('console', (m) => m.type() === 'error' && fail(`console: ${m.text()}`));
  await page.goto(`${url}/docs`);
  const button = page.getByRole('button', { name: word, exact: true }).first();
  await button.click();
  await page.waitForFunction(() => /^\d/.test(document.querySelector('.status').textContent));
  const status = await page.locator('.status').first().textContent();
  const answer = await page.locator('.answer').first().textContent();
  console.log(JSON.stringify({ locale, status, answer, curl: await page.locator('.curl').first().textContent() }));
  await page.screenshot({ path: picture.replace('.png', `-${locale}.png`), fullPage: true });
  await page.close();
}
await browser.close();
