// A person at the console: a browser of their own, what they see there, and what must hold of every page.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { PASSWORD } from './service.js';

const kept = join(import.meta.dirname, '../../target/clients/console-pages');
mkdirSync(kept, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// A machine that does much else is slow.
const PATIENCE = 60_000;

export async function openConsole(browser, service, path, { locale = 'en-GB' } = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, colorScheme: 'light', timezoneId: 'Europe/Berlin', locale });
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(axe);
  return openTab(context, service, path);
}

async function openTab(context, service, path) {
  const page = await context.newPage();
  const errors = [];
  const hosts = new Set();
  page.on('console', message => message.type() === 'error' && errors.push(message.text().slice(0, 300)));
  page.on('pageerror', error => errors.push(error.message));
  page.on('request', request => hosts.add(new URL(request.url()).host));
  await page.goto(service.url + path);
  const table = page.getByRole('table').first();
  // What stands in the list, by what its rows lead to.
  const rows = async () => {
    await page.locator('.list[aria-busy=false]').first().waitFor();
    return table.locator('tbody a').evaluateAll(links => links.map(link => link.getAttribute('href').slice(-12)).join(' '));
  };

  return {
    page,
    rows,
    table,
    until,

    heading: name => page.getByRole('heading', { level: 1, name, exact: true }).waitFor(),

    rowsOtherThan: before => until(async () => (await rows()) !== before),

    async logIn(username, password = PASSWORD) {
      await page.getByLabel('Username or e-mail address').fill(username);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
    },

    // Nothing serious that axe finds, in light and dark, wide and narrow; the pictures are for people.
    // A page looks the same on both databases, so it is judged on one.
    async looksRight(name) {
      if (process.env.TEST_DATABASE === 'postgres') return;
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(kept, `${name}-${colorScheme}.png`), animations: 'disabled' });
        await assertAccessible(page, `${name}, ${colorScheme}`);
      }
      const wide = page.viewportSize();
      await page.setViewportSize({ width: 390, height: 800 });
      await page.screenshot({ path: join(kept, `${name}-narrow.png`) });
      await assertAccessible(page, `${name}, narrow`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than a narrow screen`);
      await page.setViewportSize(wide);
      await page.emulateMedia({ colorScheme: 'light' });
    },

    anotherTab: path => openTab(context, service, path),

    async close({ expected } = {}) {
      await page.close();
      assert.deepEqual(errors.filter(error => !expected?.test(error)), []);
      assert.deepEqual([...hosts], [new URL(service.url).host], 'nothing comes from elsewhere');
    },
  };
}

async function assertAccessible(page, where) {
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`);
  assert.deepEqual(told, [], where);
}

async function until(condition) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`not so after a minute: ${condition}`);
}
