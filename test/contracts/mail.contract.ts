import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mail, MailMessage } from '../../shared/ports.ts';

export type SentMail = {
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
  html: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
};

export type MailRig = {
  mail: Mail;
  sent(): Promise<readonly SentMail[]>;
  /** What the far end answers to the next message. */
  next: (answer: 'later' | 'never' | 'silence') => void;
  close(): Promise<void>;
};

/** Every promise of `Mail`, asked of one adapter. */
export function mailContract(adapter: string, rig: () => Promise<MailRig>): void {
  describe(`mail contract, ${adapter}`, () => {
    let at: MailRig;
    beforeAll(async () => {
      at = await rig();
    });
    afterAll(() => at.close());
    const last = async () => (await at.sent()).at(-1)!;

    it('sends text and HTML with the subject as it is', async () => {
      const { response } = await at.mail.send(message());
      expect(response).not.toBe('');
      expect(await last()).toMatchObject({
        to: ['reader@example.org'],
        subject: 'Re: Grüße 👋',
        html: expect.stringContaining('<p>Somebody answered.</p>'),
        text: expect.stringContaining('Somebody answered.'),
      });
    });

    it('offers the one-click way out of RFC 8058', async () => {
      await at.mail.send(message({ unsubscribeUrl: 'https://blog.example/v1/mail/unsubscribe/t' }));
      expect((await last()).headers).toMatchObject({
        'list-unsubscribe': '<https://blog.example/v1/mail/unsubscribe/t>',
        'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
      });
    });

    it('carries the id by which a repeat is recognised', async () => {
      await at.mail.send(message({ messageId: '<again@blog.example>' }));
      const { headers } = await last();
      expect([headers['message-id'], headers['x-sluice-message']]).toContain('<again@blog.example>');
    });

    it('lets no name break out into headers', async () => {
      await at.mail.send(message({ from: { name: 'x"\r\nBcc: all@example.org', address: 'comments@blog.example' } }));
      const { headers, to } = await last();
      expect(headers.bcc).toBeUndefined();
      expect(to).toEqual(['reader@example.org']);
    });

    it.each([
      ['Mail.Transient', 'later'],
      ['Mail.Refused', 'never'],
      ['Mail.Uncertain', 'silence'],
    ] as const)('throws %s when the server answers: %s', async (code, answer) => {
      at.next(answer);
      await expect(at.mail.send(message())).rejects.toMatchObject({ code });
    });
  });
}

const message = (more: Partial<MailMessage> = {}): MailMessage => ({
  messageId: '<n1@blog.example>',
  from: { name: 'A blog', address: 'comments@blog.example' },
  to: 'reader@example.org',
  subject: 'Re: Grüße 👋',
  text: 'Somebody answered.\n',
  html: '<p>Somebody answered.</p>',
  ...more,
});
