/**
 * Writes confusables.ts from Unicode's confusables.txt: `node services/spam-check/make-confusables.ts FILE`.
 *
 * Only letters of scripts that disguise Latin in practice, and only where NFKD and the loss of diacritics do not
 * already give the Latin letter. Scripts with readers of their own among commenters whose letters merely resemble
 * Latin in one shape (Arabic, Hebrew, Han, Indic…) are left out: they would be folded to noise.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SCRIPTS =
  /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Canadian_Aboriginal}\p{Script=Lisu}\p{Script=Coptic}\p{Script=Deseret}\p{Script=Tifinagh}\p{Script=Old_Italic}\p{Script=Lycian}\p{Script=Carian}]/u;
const BY_HAND: readonly (readonly [letters: string, targets: string])[] = [
  // Unicode sends every upright stroke to l; in words these are read as a capital I.
  ['ΙІӀⲒꟾƖ', 'iiiiii'],
  // Latin small capitals have no decomposition and most have no entry of their own.
  ['ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɐǝɹ', 'abcdefghijklmnoprstuvwyzaer'],
];

const file = process.argv[2];
if (!file) {
  process.stderr.write('usage: node services/spam-check/make-confusables.ts confusables.txt\n');
  process.exit(2);
}
const groups = new Map<string, Set<string>>();
const put = (letter: string, target: string) => {
  const group = groups.get(target) ?? new Set();
  groups.set(target, group.add(letter));
};
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const [from = '', to = ''] = line
    .split('#')[0]!
    .split(';')
    .map((part) => part.trim());
  if (!/^[0-9A-F]+$/.test(from) || !/^[0-9A-F]+$/.test(to)) continue;
  const letter = String.fromCodePoint(Number.parseInt(from, 16));
  const target = String.fromCodePoint(Number.parseInt(to, 16)).toLowerCase();
  if (letter.codePointAt(0)! < 128 || !/^[a-z0-9]$/.test(target)) continue;
  const folded = letter.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  // NFKD brings mathematical Greek to plain Greek, which has its own entry.
  if (folded !== letter || !/\p{L}/u.test(letter) || !SCRIPTS.test(letter)) continue;
  put(letter, target);
}
for (const [letters, targets] of BY_HAND) {
  [...letters].forEach((letter, i) => {
    for (const group of groups.values()) group.delete(letter);
    put(letter, targets[i]!);
  });
}
const lines = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(
  new URL('confusables.ts', import.meta.url),
  `/**
 * Letters that pass for a Latin letter or digit, by the letter they pass for. Made by make-confusables.ts from
 * confusables.txt, Unicode 18.0.0 security data (UTS #39), © Unicode, Inc., under the Unicode licence
 * (https://www.unicode.org/license.txt); Latin small capitals added.
 */
export const LOOKALIKES: Readonly<Record<string, string>> = {
${lines.map(([target, letters]) => `  ${/\d/.test(target) ? `'${target}'` : target}: '${[...letters].join('')}',`).join('\n')}
};
`,
);
