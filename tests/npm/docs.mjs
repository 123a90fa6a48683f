// Opens /docs in Chromium, sends the filled-in request from the page, in both
// languages, and takes a picture: node docs.mjs URL PICTURE
import { launch, open } from './browser.mjs';

const [url, picture] = process.argv.slice(2);
const browser = await launch();
for (const [locale, word] of [['en-US', 'Send'], ['zh-CN', '发送']]) {
  const page = await open(browser, url, { locale });
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
