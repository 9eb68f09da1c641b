import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const at = (file: string) => new URL(`../${file}`, import.meta.url);
const rows = readFileSync(at('docs/parity.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!behaviour|-)/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()));

it.each(rows)('parity: %s', (_behaviour, here, test) => {
  expect(here).toMatch(/^(same|different|absent)\b/);
  const [, file = '', name = ''] = /^`([^`]+)` (.+)$/.exec(test ?? '') ?? [];
  expect(existsSync(at(file)), `${file} is there`).toBe(true);
  // A title begins with the name, right after a quote: a word somewhere in the file is no test.
  const found = ["'", '"', '`'].some((quote) => readFileSync(at(file), 'utf8').includes(`${quote}${name}`));
  expect(found, `${file} has a test "${name}"`).toBe(true);
});

it('parity names each behaviour once', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(new Set(rows.map(([behaviour]) => behaviour)).size).toBe(rows.length);
});
