// Chromium, and what no page of ours may do: talk to others, fail, complain.
import { chromium } from 'playwright-core';

export const fail = (what) => { console.error(what); process.exitCode = 1; };

export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

/** A page of the server at url; `options` are Playwright's. */
export async function open(browser, url, options) {
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, ...options });
  page.allowed = [/ERR_ABORTED/]; // complaints that a test asked for; a page that is left ends its requests
  const complain = (what) => page.allowed.some((a) => a.test(what)) || fail(what);
  page.on('requestfailed', (r) => complain(`request failed: ${r.url()}: ${r.failure().errorText}`));
  page.on('request', (r) => r.url().startsWith(url) || r.url().startsWith('data:') || fail(`leaves the server: ${r.url()}`));
  page.on('pageerror', (e) => fail(`page error: ${e.stack}`));
  page.on('console', (m) => m.type() === 'error' && complain(`console: ${m.text()}`));
  return page;
}
