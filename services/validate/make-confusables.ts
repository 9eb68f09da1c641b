/**
 * Makes confusables.ts from Unicode's confusables.txt (https://www.unicode.org/Public/security/latest/confusables.txt):
 *
 *     node services/validate/make-confusables.ts confusables.txt > services/validate/confusables.ts
 *
 * Kept are characters outside ASCII that look like one to three ASCII letters, and that NFKD, accents and letter case do
 * not lead there already.
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
  const lookalikes = new Map<string, string>();
  for (const line of data.split('\n')) {
    const [source, target] = line
      .replace(/#.*/, '')
      .split(';')
      .map((field) => characters(field.trim()));
    if (!source || !target || [...source].length !== 1 || source <= '\x7f') continue;
    const letters = bare(target);
    if (/^[a-z]{1,3}$/.test(letters) && bare(source) !== letters && bare(source) === source.toLowerCase()) {
      lookalikes.set(source, letters);
    }
  }
  const groups = new Map<string, string>();
  for (const [source, letters] of [...lookalikes].sort(([a], [b]) => a.codePointAt(0)! - b.codePointAt(0)!)) {
    const lower = source.toLowerCase();
    const ofLower = lower === source ? undefined : lookalikes.get(lower);
    // A capital goes with its small letter: Cyrillic І looks like l, but is the i that it becomes.
    if (ofLower === letters || (letters === 'l' && ofLower === 'i')) continue;
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
