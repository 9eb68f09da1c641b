import { expect, it } from 'vitest';
import { progressBar } from './progress.ts';

const screen = (isTTY: boolean) => {
  const frames: string[] = [];
  return { frames, isTTY, write: (text: string) => frames.push(text) > 0 };
};

it('shows an empty bar at once, and last what was reached', () => {
  const terminal = screen(true);
  const bar = progressBar('import', 200, terminal);
  bar.add(50, '5 comments');
  bar.add(150, '20 comments');
  bar.end();
  bar.end();
  expect(terminal.frames[0]).toContain(`[${' '.repeat(30)}]   0 %`);
  expect(terminal.frames.slice(-2)).toEqual([`\rimport [${'='.repeat(30)}] 100 % 20 comments\u001b[K`, '\n']);
});

it('does not say that all is done where the work broke off', () => {
  for (const isTTY of [true, false]) {
    const terminal = screen(isTTY);
    const bar = progressBar('import', 200, terminal);
    bar.add(50, '5 comments');
    bar.end();
    expect(terminal.frames.join('')).not.toContain('100 %');
  }
});

it('says a line at each tenth where nobody watches', () => {
  const log = screen(false);
  const bar = progressBar('import', 10, log);
  for (let step = 0; step < 10; step++) bar.add(1, `${step + 1} comments`);
  bar.end();
  expect(log.frames.at(-1)).toBe('import 100 % 10 comments\n');
  expect(log.frames.every((line) => !line.includes('\r') && !line.includes('\u001b'))).toBe(true);
});
