import type { Comment } from '../../shared/comment.ts';
import type { Author, Site, Thread } from '../../shared/store/sites.ts';

/** What is known of everybody who may want to hear of a comment. */
export type Scene = {
  comment: Comment;
  parent: Comment | undefined;
  site: Site;
  thread: Thread | undefined;
  /** Keyed hashes of addresses; undefined where there is none. */
  hashes: {
    writer: string | undefined;
    parent: string | undefined;
    /** By the author's id. */
    authors: ReadonlyMap<string, string>;
    moderators: ReadonlySet<string>;
  };
};

export type Recipient = {
  recipient: string;
  kind: 'reply' | 'author' | 'held';
  emailHash?: string;
  /** Set for who must not be told: why, in words for moderators. */
  skip?: string;
};

/**
 * Who asked to hear of a published comment: the writer of the comment replied to, and the post's author.
 *
 * Who did not ask is not in the answer; who asked and must not be told is, with the reason. Nobody is told twice.
 */
export function recipientsOfPublished({ comment, parent, site, thread, hashes }: Scene): readonly Recipient[] {
  const found: Recipient[] = [];
  if (parent?.notifyReplies) {
    const own =
      parent.author.key === comment.author.key ||
      (hashes.parent !== undefined && hashes.parent === hashes.writer) ||
      (parent.author.authorId !== undefined && parent.author.authorId === comment.author.authorId);
    found.push({
      recipient: `contact:${parent.author.contact ?? 'none'}`,
      kind: 'reply',
      ...(hashes.parent !== undefined && { emailHash: hashes.parent }),
      ...skipIf(
        own && 'own reply',
        parent.status !== 'published' && 'the comment replied to is no longer published',
        hashes.parent === undefined && 'no address',
      ),
    });
  }
  const author = authorOf(site, thread);
  if (author && (author.notify === 'each' || author.notify === 'digest')) {
    const emailHash = hashes.authors.get(author.id);
    const told = found.some((other) => other.skip === undefined && other.emailHash === emailHash);
    found.push({
      recipient: `author:${author.id}`,
      kind: 'author',
      ...(emailHash !== undefined && { emailHash }),
      ...skipIf(
        emailHash === undefined && 'no address',
        isBy(author, emailHash, comment, hashes.writer) && 'own comment',
        told && 'told already, as the writer of the comment replied to',
      ),
    });
  }
  return found;
}

/** Who asked to hear of every held comment: authors with `held`, of this post or with a moderator's address. */
export function recipientsOfHeld({ comment, site, thread, hashes }: Scene): readonly Recipient[] {
  const post = authorOf(site, thread);
  return site.authors
    .filter(({ id, notify }) => {
      const emailHash = hashes.authors.get(id);
      const moderates = emailHash !== undefined && hashes.moderators.has(emailHash);
      return notify === 'held' && (id === post?.id || moderates);
    })
    .map((author) => {
      const emailHash = hashes.authors.get(author.id);
      return {
        recipient: `author:${author.id}`,
        kind: 'held' as const,
        ...(emailHash !== undefined && { emailHash }),
        ...skipIf(
          emailHash === undefined && 'no address',
          isBy(author, emailHash, comment, hashes.writer) && 'own comment',
        ),
      };
    });
}

/** The post's author, else the site's first. */
export function authorOf(site: Site, thread: Thread | undefined): Author | undefined {
  return site.authors.find(({ id }) => id === thread?.authorId) ?? site.authors[0];
}

function isBy(author: Author, emailHash: string | undefined, comment: Comment, writer: string | undefined): boolean {
  return comment.author.authorId === author.id || (emailHash !== undefined && emailHash === writer);
}

function skipIf(...reasons: (string | false)[]): { skip?: string } {
  const skip = reasons.find((reason) => reason !== false);
  return skip === undefined ? {} : { skip };
}
