/** Chromium with everything the stories need: phones, screenshots, accessibility, a watch on hosts and errors. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
// The browser driver and axe are development dependencies of the pages: one lock file for both.
const require = createRequire(join(here, '../../src/web/ui/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const shots = process.env.SHOTS ?? join(here, 'shots');

export const DESK = { viewport: { width: 1366, height: 768 } };
export const TUNING = { viewport: { width: 1366, height: 900 } };
export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, permissions: ['geolocation'] };

export async function launch() {
  mkdirSync(shots, { recursive: true });
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false, args: FLAGS });
}

/** A signed-in page. `faults` fills with whatever must not happen on it. */
export async function open(browser, link, options, faults) {
  const host = new URL(link).host;
  const context = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce', ...options });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.host !== host) faults.push(`a request left for another host: ${request.url()}`);
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`an error on ${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(link);
  await page.click('#login');
  await page.waitForSelector('#app > *');
  return { context, page };
}

export const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) });

/** Throws with the first offending element of each rule. Evaluated, not injected: the page's CSP stays in force. */
export async function accessible(page, what) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), RULES);
  if (violations.length === 0) return;
  const lines = violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary.replace(/\s+/g, ' ').slice(0, 240)}`);
  throw new Error(`${what} has accessibility violations\n  ${lines.join('\n  ')}`);
}

/** Asks the API as this page's user. */
export const api = (page, path) => page.evaluate((url) => fetch(url).then((response) => response.json()), `/api/v1${path}`);

/** Polls until `check` gives something truthy, and says what was waited for when it does not. */
export async function until(what, limitMs, check) {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await check().catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
