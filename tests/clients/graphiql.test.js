import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, openPage } from './browser.js';
import { PASSWORD, start, until } from './service.js';

const kept = join(import.meta.dirname, '../../target/clients');
let service;
let browser;
before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser.close();
  await service.stop();
});

const editor = (page, name) => page.locator(`.graphiql-${name} .monaco-editor:visible`).first();

// As a person does it: click, select all, type over.
async function write(page, name, text) {
  await editor(page, name).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

async function run(page, operation) {
  await page.locator('.graphiql-execute-button').click();
  const choice = page.getByRole('menuitem', { name: operation, exact: true });
  await choice.click();
}

const result = page => page.evaluate(() => document.querySelector('.graphiql-response .view-lines').innerText.replaceAll('\u00a0', ' '));

test('GraphiQL logs in, sends the token, and lists the sessions and the blacklist', async () => {
  const { page, seen } = await openPage(browser);
  await page.goto(service.graphql);
  await page.getByRole('button', { name: 'Variables' }).click();
  await editor(page, 'editor').waitFor();
  const answer = page.waitForResponse(response => response.request().postData()?.includes('"Login"'));
  await write(page, 'editor-tool', JSON.stringify({ username: 'admin', password: PASSWORD }));
  await run(page, 'Login');
  const { data, errors } = await (await answer).json();
  assert.ok(data, JSON.stringify(errors));
  await page.getByRole('button', { name: 'Headers' }).click();
  await write(page, 'editor-tool', JSON.stringify({ authorization: `Bearer ${data.login.tokens.accessToken}` }));
  await run(page, 'Viewer');
  await until(async () => (await result(page)).includes('"username": "admin"'));
  await run(page, 'MyBlacklist');
  await until(async () => (await result(page)).includes('"blacklistEntries"'));
  await run(page, 'MySessions');
  await until(async () => (await result(page)).includes('"ACTIVE"'));
  mkdirSync(kept, { recursive: true });
  await page.screenshot({ path: join(kept, 'graphiql.png') });
  assert.deepEqual(seen.errors, []);
  assert.deepEqual([...seen.hosts], [new URL(service.url).host], 'nothing comes from elsewhere');
  const stored = await page.evaluate(() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage));
  assert.ok(!stored.includes(PASSWORD) && !stored.includes('Bearer'), stored);
  await page.close();
});
