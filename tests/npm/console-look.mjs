// The console's first page, once it says that all is good, or how bad it is:
// node console-look.mjs URL good|warning|critical
import { launch, open } from './browser.mjs';

const [url, state] = process.argv.slice(2);
const browser = await launch();
const page = await open(browser, url, { locale: 'en-US' });
await page.goto(`${url}/`);
await page.locator(`.state.${state}`).waitFor();
console.log(JSON.stringify({
  state: await page.locator('.state').textContent(),
  alerts: await page.locator('#page .page > div .alert').allTextContents(),
}));
await browser.close();
