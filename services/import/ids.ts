import { hash } from 'node:crypto';
import type { ImportComment, ImportFormat } from './record.ts';

/**
 * Our id of an imported comment: the same for the same comment of the same export, so that a second import finds it and
 * replies keep their parents in whatever order they come.
 *
 * `imp_` and 132 bits of SHA-256: 26 characters of [A-Za-z0-9_-]. Our own comments keep the id that they have.
 */
export function importId(site: string, format: ImportFormat, sourceId: string): string {
  if (format === 'sluice') return sourceId;
  return `imp_${hash('sha256', JSON.stringify([site, format, sourceId]), 'base64url').slice(0, 22)}`;
}

/** A source id for a comment that has none: the same text by the same name at the same time in the same thread is one. */
export function contentId(comment: Pick<ImportComment, 'thread' | 'author' | 'at' | 'body'>): string {
  const { thread, author, at, body } = comment;
  return `h:${hash('sha256', JSON.stringify([thread.key, author.name, author.email ?? '', at, body]), 'base64url').slice(0, 22)}`;
}

/** 64 bits of a key as two numbers, for tables that hold millions. */
export function hash64(key: string): [high: number, low: number] {
  // cyrb53's mixing, kept to 2 x 32 bits: fast, and nothing here is a secret. https://github.com/bryc/code
  let a = 0xdeadbeef ^ key.length;
  let b = 0x41c6ce57 ^ key.length;
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a >>> 0, b >>> 0];
}
