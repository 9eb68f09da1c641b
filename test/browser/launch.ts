import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * A headless browser: an installed Chrome or Chromium (`CHROME_PATH` names one), else on Linux x64 the one that
 * comes with the packages.
 *
 * @throws elsewhere, one sentence that says what to install
 */
export async function launchBrowser(): Promise<Browser> {
  const installed = [process.env['CHROME_PATH'] ?? '', ...INSTALLED].find((path) => path && existsSync(path));
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  if (installed) return chromium.launch({ executablePath: installed, args: asRoot });
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The browser tests need Chrome or Chromium: install one, or name it in CHROME_PATH.');
  }
  // It unpacks the libraries that a bare Linux lacks only where it believes to be in Lambda, and looks once, on import.
  process.env['AWS_LAMBDA_JS_RUNTIME'] ??= 'nodejs24.x';
  const { default: packed } = await import('@sparticuz/chromium');
  // Lambda's frugal switch: in a single process, closing one context closes the browser.
  const args = packed.args.filter((arg) => arg !== '--single-process' && arg !== '--no-zygote');
  return chromium.launch({ executablePath: await packed.executablePath(), args });
}
