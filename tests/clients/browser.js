// A real browser, without a window.
import { chromium } from 'playwright-core';

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

export const launch = () =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });

// A page that notes what goes wrong in it, and which hosts it asks for anything.
export async function openPage(browser, options = { viewport: { width: 1400, height: 900 } }) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(120_000);
  const seen = { errors: [], hosts: new Set() };
  page.on('console', message => message.type() === 'error' && seen.errors.push(message.text().slice(0, 300)));
  page.on('pageerror', error => seen.errors.push(error.message));
  page.on('request', request => seen.hosts.add(new URL(request.url()).host));
  return { page, seen };
}
