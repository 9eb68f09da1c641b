import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';

const DATA = process.env['SLUICE_TEST_DATA'];
const TEXT =
  'I was in serious debt until Mrs Patricia Henderson helped me with her investment strategy, and now I earn 5000 dollars weekly';

const linking = (url: string) => fingerprint(`Great article, see also ${url} for more`);

const SAME: [sentence: string, text: string][] = [
  ['letter case', TEXT.toUpperCase()],
  ['punctuation and line breaks', TEXT.replaceAll(' ', ' \n... ')],
  ['a number', TEXT.replace('5000', '12')],
  ['a short word', TEXT.replace('debt', 'pain')],
  ['two short words', TEXT.replace('debt', 'pain').replace('weekly', 'daily')],
  ['look-alike letters', TEXT.replaceAll('a', '\u0430')],
  ['decorated letters', TEXT.replace('investment', '𝗶𝗻𝘃𝗲𝘀𝘁𝗺𝗲𝗻𝘁')],
  ['accents', TEXT.replaceAll('e', 'é')],
];
describe('a fingerprint stays the same for another', () => {
  it.each(SAME)('%s', (_sentence, text) => {
    expect(fingerprint(text)).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprint(text)).toBe(fingerprint(TEXT));
  });

  it('path of an address, but not another host', () => {
    expect(linking('https://spam.example/a1')).toBe(linking('http://spam.example/b2?c=d'));
    expect(linking('https://spam.example/a1')).not.toBe(linking('https://other.example/a1'));
  });
});

it.each([
  ['a thank-you', 'Thanks, that helped!'],
  ['emoji', '😀'.repeat(40)],
  ['digits and signs', '12345 67890 12345 67890 !!!'.replaceAll(/\d/g, '-')],
])('a fingerprint is empty for %s, which is no duplicate', (_sentence, text) => {
  expect(fingerprint(text)).toBe('');
});

it('tells texts of other words apart, in Chinese too', () => {
  expect(fingerprint('我们的网站提供最好的在线赌博游戏和最高的奖金，欢迎加入')).not.toBe(
    fingerprint('这篇文章写得非常好，我学到了很多关于编程语言设计的知识，谢谢'),
  );
  expect(fingerprint('This helped me to understand closures.')).not.toBe(
    fingerprint('This helped me to understand generators.'),
  );
});

it.skipIf(!DATA)('hardly ever takes honest comments for one another (needs SLUICE_TEST_DATA)', () => {
  let comments = 0;
  let shared = 0;
  for (const file of readdirSync(join(DATA!, 'spam')).filter((name) => /^blog_.*\.jsonl$/.test(name))) {
    const seen = new Set<string>();
    for (const line of readFileSync(join(DATA!, 'spam', file), 'utf8')
      .trim()
      .split('\n')) {
      const { text, label } = JSON.parse(line) as { text: string; label: string };
      const print = label === 'ham' ? fingerprint(text) : '';
      if (print === '') continue;
      comments++;
      if (seen.has(print)) shared++;
      seen.add(print);
    }
  }
  expect(comments).toBeGreaterThan(3000);
  expect(shared / comments).toBeLessThan(0.002);
});
