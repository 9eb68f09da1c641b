/**
 * Makes confusables.ts from Unicode's confusables.txt (https://www.unicode.org/Public/security/latest/confusables.txt):
 *
 *     node services/validate/make-confusables.ts confusables.txt > services/validate/confusables.ts
 *
 * Kept are small letters and caseless characters outside ASCII that look like one to three ASCII letters (or whose capitals
 * do), and that NFKD, accents and letter case do not lead there already.
 */
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
if (!file) {
  process.stderr.write('usage: node services/validate/make-confusables.ts confusables.txt\n');
  process.exit(2);
}
process.stdout.write(tableOf(readFileSync(file, 'utf8')));

function tableOf(data: string): string {
  const version = /^# Version: (\S+)/m.exec(data)?.[1] ?? 'unknown';
  /** By small letter, since whoever folds is blind to case: a capital lends its look to its small letter. */
  const lookalikes = new Map<string, { letters: string; rank: number }>();
  for (const line of data.split('\n')) {
    const [source, target] = line
      .replace(/#.*/, '')
      .split(';')
      .map((field) => characters(field.trim()));
    if (!source || !target || [...source].length !== 1 || source <= '\x7f') continue;
    const letters = bare(target);
    if (!/^[a-z]{1,3}$/.test(letters) || bare(source) === letters || bare(source) !== source.toLowerCase()) continue;
    const small = source.toLowerCase();
    // Η is an H; η is an n only with a tail. І looks like l, but is the i that it becomes.
    const exact = /^[A-Za-z]+$/.test(target);
    const rank = (exact ? 2 : 0) + (small === source ? 1 : 0);
    if (rank > (lookalikes.get(small)?.rank ?? -1)) lookalikes.set(small, { letters, rank });
  }
  const groups = new Map<string, string>();
  for (const [source, { letters }] of [...lookalikes].sort(([a], [b]) => a.codePointAt(0)! - b.codePointAt(0)!)) {
    groups.set(letters, (groups.get(letters) ?? '') + source);
  }
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([letters, sources]) => `  ${letters}: '${sources}',\n`);
  return `/**
 * Characters of other scripts by the ASCII letters that they look like.
 *
 * Made by make-confusables.ts from Unicode's confusables.txt, version ${version} (UTS #39).
 * © Unicode, Inc. Used under the Unicode License V3, https://www.unicode.org/license.txt
 */
export const LATIN_LOOKALIKES: Readonly<Record<string, string>> = {
${rows.join('')}};
`;
}

function characters(codes: string): string {
  return /^[0-9A-F]+(?: [0-9A-F]+)*$/.test(codes)
    ? String.fromCodePoint(...codes.split(' ').map((code) => Number.parseInt(code, 16)))
    : '';
}

function bare(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
