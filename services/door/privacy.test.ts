import { expect, it } from 'vitest';
import { privacyPage } from './privacy.ts';

it('tells how long addresses are kept, as the code keeps them, without a script', () => {
  const { raw, headers } = privacyPage();
  const { text } = raw!;
  for (const words of ['7 days after its last use', '400 days if you confirmed', '15 minutes', 'a day', '30 days']) {
    expect(text).toContain(words);
  }
  expect(text).not.toContain('<script');
  expect(headers?.['content-security-policy']).toMatch(/^default-src 'none'/);
});
