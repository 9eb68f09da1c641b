import { SluiceError } from '../../shared/errors.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { notificationsOf, type Notification } from '../../shared/store/notifications.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { Policy } from '../../shared/policy.ts';
import type { Clock } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import type { Trial } from './place.ts';

/** How long each hop may take; mail servers are given the time of one attempt and a bit. */
const HOP_MS = 30_000;
const LOOK_MS = 50;
const THREAD = 'mail-test';

/**
 * Sends a comment and a reply to it through the whole pipeline, so that the mail about the reply goes to `address`; says each
 * hop, and removes all of it.
 *
 * On a site of its own, which nobody sees: real threads, counts and what the judge learned stay as they are. The address
 * counts as confirmed for the while: its owner is who tests.
 *
 * Throws `Mail.Refused`, `Mail.Transient` or `Mail.Uncertain` with the mail server's words.
 */
export async function runMailTest(trial: Trial, address: string, say: (line: string) => void): Promise<void> {
  const { table, vault, clock } = trial;
  if (!/^[^\s@<>"]+@[^\s@<>"]+$/.test(address) || address.length > 254) {
    throw new SluiceError('Config.Invalid', `"${address.slice(0, 100)}" is no e-mail address`, {
      hint: 'such as ada@example.org',
    });
  }
  const sites = sitesOf(table, clock);
  const store = storeOf(table, clock);
  const notifications = notificationsOf(table);
  const contacts = contactsOf(table, vault, clock);
  const site = `mail-test-${clock.now().toString(36)}`;
  const emailHash = contacts.hashOf(address);
  const before = await contacts.address(emailHash);
  const ids: string[] = [];
  if (before?.suppressed !== undefined) {
    throw new SluiceError('Mail.Refused', `this address gets no mail: ${before.suppressed}`, {
      hint: 'it bounced or complained once; try another address',
    });
  }

  const submit = async (name: string, fields: { body: string } & Record<string, unknown>): Promise<string> => {
    const response = await trial.fetch(
      new Request(`${trial.publicUrl}/v1/sites/${site}/threads/${THREAD}/comments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ author: { name }, ...fields }),
      }),
    );
    const answer = (await response.json()) as { id?: string; detail?: string };
    if (response.status !== 202 || !answer.id) {
      throw new SluiceError('Internal.Bug', `the door answered ${response.status}: ${answer.detail ?? ''}`, {
        hint: 'see the log of the server',
      });
    }
    ids.push(answer.id);
    return answer.id;
  };

  const published = async (id: string): Promise<void> => {
    const comment = await until(
      clock,
      () => store.get(id),
      (found) => found !== undefined && found.status !== 'received',
    );
    if (comment?.status === 'published') return;
    throw new SluiceError(
      'Internal.Bug',
      `the comment is ${comment?.status ?? 'not judged'} after ${HOP_MS / 1000} s`,
      {
        hint: 'see sluice doctor',
      },
    );
  };

  try {
    await sites.put({ id: site, name: 'Mail test', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
    await sites.putPolicy(
      site,
      Policy.parse({ holdAt: 1, rejectAt: 1, toxicityHoldAt: 1, undoSeconds: 0, notifyBurstMinutes: 0 }),
      0,
      'mail-test',
    );
    await contacts.confirm(emailHash, 'none');

    const parent = await submit('Mail test', {
      author: { name: 'Mail test', email: address },
      body: 'This comment asks for mail about replies.',
      notifyReplies: true,
    });
    say(`submitted   comment ${parent}`);
    await published(parent);
    say('published   comment');
    say(`confirmed   ${before?.confirmedAt === undefined ? 'taken as confirmed for this test' : 'confirmed before'}`);
    const reply = await submit('Mail test, replying', {
      parentId: parent,
      body: 'This reply tests whether that mail arrives. Both are removed at once.',
    });
    say(`submitted   reply ${reply}`);
    await published(reply);
    say('published   reply');

    const record = await until(
      clock,
      async () => (await notifications.of(reply)).find(({ kind }) => kind === 'reply'),
      (found) =>
        found !== undefined && (found.state !== 'queued' || found.why !== undefined) && found.state !== 'sending',
      say,
    );
    outcome(record, say);
  } finally {
    const contact = ids[0] && !before ? (await store.get(ids[0]))?.author.contact : undefined;
    if (before) await table.write([{ put: { pk: `E#${emailHash}`, sk: 'address', ...before } }]);
    else await table.write([{ delete: { pk: `E#${emailHash}`, sk: 'address' } }]);
    await trial.remove(site, ids, contact);
    say('removed     comment, reply and site of the test');
  }
}

function outcome(record: Notification | undefined, say: (line: string) => void): void {
  if (!record) {
    throw new SluiceError('Mail.Transient', `no mail was queued within ${HOP_MS / 1000} s`, {
      hint: 'see sluice doctor',
    });
  }
  if (record.state === 'sent') return say(`sent        ${record.said ?? 'the server took it'}`);
  const words = record.why ?? record.state;
  const putOff = words.startsWith('put off: ');
  const hint = whatToDo(words.replace(/^put off: /, ''));
  if (record.state === 'refused') throw new SluiceError('Mail.Refused', `not sent: ${words}`, { hint });
  if (putOff || record.why === undefined) throw new SluiceError('Mail.Transient', `not sent: ${words}`, { hint });
  throw new SluiceError('Mail.Uncertain', `nobody knows whether it was sent: ${words}`, {
    hint: 'the server took the message and did not say so: look into the mailbox, and into the log of the server',
  });
}

/** What stands behind the words of a mail server, or of the connection to it; the first that fits. */
const CURES: readonly [words: RegExp, cure: string][] = [
  [/ENOTFOUND|EAI_AGAIN|EDNS/, 'the name of the server is not known: look for a slip in the host of SMTP_URL'],
  [/ECONNREFUSED/, 'nothing listens there: check the port of SMTP_URL; usual are smtp://…:587 and smtps://…:465'],
  [
    /wrong version number|SSL routines|EPROTO/,
    'no TLS is spoken there from the start: smtps:// is for port 465, smtp:// for 587',
  ],
  [
    /certificate|altnames|CERT_|ETLS/i,
    'its certificate is not trusted: name the host as the certificate does, or have it renewed; NODE_EXTRA_CA_CERTS takes an authority of your own',
  ],
  [
    /ETIMEDOUT|ESOCKET.*time|Timeout|never received/i,
    'it says nothing: port 465 wants smtps://, and many networks let no mail out by port 25; try 587',
  ],
  [/^(?!\d{3}\b|E[A-Z]+:|SES )/, 'what answers there is no mail server: check host and port of SMTP_URL'],
  [
    /^(?:535|534)|5\.7\.8|EAUTH/,
    'it refuses user or password of SMTP_URL: write @ in them as %40; many providers want a password made for programs',
  ],
  [/^530|authentication required/i, 'it wants a sign-in: SMTP_URL=smtp://user:password@host:587'],
  [/sender/i, 'it does not let you send as this sender: set MAIL_FROM to an address that is yours there'],
  [
    /^4\d\d|SES answered/,
    'it puts mail off for a while, as greylisting does: real mail is tried again for three days; wait some minutes and run this again',
  ],
  [/5\.1\.(?:1|2|3|6|10)\b|user unknown|no such user/i, 'it knows no such address: check the one that you gave'],
  [/relay/i, 'it takes mail for its own addresses alone: sign in, or use the server of your provider'],
  [
    /^5\d\d|SES refused/,
    'it refuses the message: besides its words, look at SPF, DKIM and DMARC of the sender, and at blocklists',
  ],
];

export function whatToDo(words: string): string {
  return (
    CURES.find(([pattern]) => pattern.test(words))?.[1] ?? 'check SMTP_URL and MAIL_FROM, and the log of the server'
  );
}

/** The newest answer once `done`, or when the time is over. */
async function until<T>(
  clock: Clock,
  look: () => Promise<T>,
  done: (found: T) => boolean,
  say?: (line: string) => void,
): Promise<T> {
  const end = clock.now() + HOP_MS;
  let told = false;
  for (;;) {
    const found = await look();
    if (found !== undefined && say && !told) {
      told = true;
      say('queued      mail');
    }
    if (done(found) || clock.now() > end) return found;
    await new Promise((go) => setTimeout(go, LOOK_MS));
  }
}
