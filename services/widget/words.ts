/**
 * Every word that a reader sees. English travels in the bundle; the other languages are files with the same keys.
 *
 * A value with `other` is chosen by `Intl.PluralRules` and must be given `n`.
 */
export const ENGLISH = {
  comments: 'Comments',
  count: { one: '{n} comment', other: '{n} comments' },
  fresh: { one: '{n} new comment', other: '{n} new comments' },
  empty: 'No comments yet.',
  closed: 'This thread is closed.',
  holds: 'Comments may wait for a moderator.',
  oldest: 'Oldest first',
  newest: 'Newest first',
  more: 'Load more comments',
  moreReplies: { one: '{n} more reply', other: '{n} more replies' },
  all: 'Whole thread',
  missing: 'Comment not found.',
  failed: 'Loading failed. Try again.',
  by: 'Comment by {name}',
  author: 'Author',
  moderator: 'Moderator',
  edited: 'edited',
  reply: 'Reply',
  replyTo: 'Your reply to {name}',
  report: 'Report',
  edit: 'Edit',
  delete: 'Delete',
  deleteAsk: 'Really delete?',
  cancel: 'Cancel',
  send: 'Send',
  preview: 'Preview',
  body: 'Your comment',
  name: 'Name',
  email: 'E-mail (optional)',
  emailHint: 'Never shown.',
  url: 'Website (optional)',
  notify: 'E-mail me about replies',
  remember: 'Remember me here',
  keepName: 'Let only me sign like this',
  signIn: 'Sign in as author',
  signOut: 'Sign out {name}',
  offline: 'No connection. Your text is kept; next try in {n} s.',
  slow: 'Too fast. Your text is kept; next try in {n} s.',
  received: 'Sent. It is being checked.',
  waiting: 'Waiting for a moderator. Only you can see this.',
  delayed: 'Delayed, not lost.',
  published: 'Published.',
  revised: 'Edited. It is being checked.',
  rejected: 'Not published.',
  appeal: 'Appeal',
  appealWhy: 'Why publish it?',
  removed: 'Removed by a moderator.',
  deleted: 'Deleted by its writer.',
  erased: 'Erased.',
  dismiss: 'Dismiss',
  reason: 'Reason',
  note: 'Note (optional)',
  thanks: 'Sent. Thank you.',
  reasons: {
    spam: 'Spam',
    abuse: 'Abuse',
    'off-topic': 'Off topic',
    illegal: 'Illegal',
    'personal-data': 'Personal data',
    duplicate: 'Duplicate',
    other: 'Other',
  },
};

export type Words = typeof ENGLISH;
export type Key = Exclude<keyof Words, 'reasons'>;
export type Say<Word = Key> = (key: Word, values?: { n?: number; name?: string }) => string;

/** Speaks one language: picks the plural form and fills `{n}` (as a local number) and `{name}`. */
export function speaker(words: Words, lang: string): Say {
  const plural = new Intl.PluralRules(lang);
  return (key, { n = 0, name = '' } = {}) => {
    const entry: string | Partial<Record<Intl.LDMLPluralRule, string>> = words[key];
    const text = typeof entry === 'string' ? entry : (entry[plural.select(n)] ?? entry.other ?? '');
    return text.replace('{n}', () => n.toLocaleString(lang)).replace('{name}', () => name);
  };
}

/** The first wanted language that there is. Regions fall back to their language. */
export function choose(wanted: readonly (string | null | undefined)[], available: string | readonly string[]): string {
  for (const tag of wanted) {
    const base = tag?.toLowerCase().split(/[-_]/)[0];
    if (base && available.includes(base)) return base;
  }
  return 'en';
}
