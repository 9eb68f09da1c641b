/** An address that mail cannot or must not reach, as a mail server reports it. */
export type Bounced = { email: string; why: 'bounced' | 'complained' };

/** A report is small; what is longer than this is the mail that it came about. */
const MOST_CHARACTERS = 256 * 1024;

/** The codes that say so of the address itself (RFC 3463, 3.2 and 3.3); others speak of us, of the message, or of a full mailbox. */
const BAD_ADDRESS = /\b5\.(?:1\.(?:1|2|3|6|10)|2\.1)\b/;

/** Whether what a mail server said means that mail to this address is in vain for good. */
export const saysBadAddress = (words: string): boolean => BAD_ADDRESS.test(words);

/**
 * Whom a report names that a mail server sent back: a delivery status notification (RFC 3464; only of addresses that are bad
 * for good: one that was refused for our reputation is not), or a complaint (RFC 5965, ARF). None for any other message.
 *
 * @param message the whole message as it came, headers first
 */
export function bouncesOf(message: string): readonly Bounced[] {
  const text = message
    .slice(0, MOST_CHARACTERS)
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+/g, ' ');
  const found = new Map<string, Bounced>();
  const add = (written: string | undefined, why: Bounced['why']) => {
    const email = /^<?([^\s<>@]+@[^\s<>@]+)>?$/.exec(written?.trim() ?? '')?.[1];
    if (email) found.set(email.toLowerCase(), { email, why });
  };
  const parts = text.split(/\n--[^\n]*\n/);
  const part = (type: string) => {
    const is = new RegExp(`^Content-Type: *message/${type}\\b`, 'im');
    for (const one of parts) {
      const end = one.indexOf('\n\n');
      if (end !== -1 && is.test(one.slice(0, end))) return one.slice(end + 2);
    }
    return undefined;
  };
  // Each recipient has a block of its own.
  for (const block of part('delivery-status')?.split('\n\n') ?? []) {
    if (!/^Action:\s*failed\s*$/im.test(block)) continue;
    const status = /^Status:\s*(5\.\S+)/im.exec(block)?.[1];
    // Exim writes 5.0.0 for every failure, and the other server's words beside it.
    const said = status === '5.0.0' ? (/^Diagnostic-Code:(.*)$/im.exec(block)?.[1] ?? '') : status;
    if (said === undefined || !saysBadAddress(said)) continue;
    const field = (name: string) => new RegExp(`^${name}:\\s*rfc822\\s*;(.*)$`, 'im').exec(block)?.[1];
    // A server behind ours may have forwarded: what we wrote to is the original.
    add(field('Original-Recipient') ?? field('Final-Recipient'), 'bounced');
  }
  const complaint = part('feedback-report');
  if (complaint !== undefined && /^Feedback-Type:\s*(?:abuse|fraud|opt-out)/im.test(complaint)) {
    for (const [, written] of complaint.matchAll(/^Original-Rcpt-To:(.*)$/gim)) add(written, 'complained');
  }
  return [...found.values()];
}
