import type { Service } from '../../shared/ports.ts';
import { contactsOf } from '../../shared/store/contacts.ts';

type Recipient = { emailAddress?: string };
/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html */
type SesEvent = {
  detail?: {
    eventType?: string;
    bounce?: { bounceType?: string; bouncedRecipients?: readonly Recipient[] };
    complaint?: { complainedRecipients?: readonly Recipient[] };
  };
};

/** Addresses that bounced for good or complained get no more mail; a full mailbox is no reason. Twice is once. */
export const feedback: Service = ({ table, vault, clock, log }) => {
  const contacts = contactsOf(table, vault, clock);
  return async (input) => {
    const { bounce, complaint } = (input as SesEvent).detail ?? {};
    const bounced = bounce?.bounceType === 'Permanent' ? (bounce.bouncedRecipients ?? []) : [];
    const complained = complaint?.complainedRecipients ?? [];
    for (const [recipients, why] of [
      [bounced, 'bounced'],
      [complained, 'complained'],
    ] as const) {
      for (const { emailAddress } of recipients) {
        if (emailAddress) await contacts.suppress(contacts.hashOf(emailAddress), why);
      }
    }
    log.info({ bounced: bounced.length, complained: complained.length }, 'mail feedback taken');
    return { suppressed: bounced.length + complained.length };
  };
};
