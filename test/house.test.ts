import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Who may enter what. A room is the longest of these prefixes that a file's path begins with; it may always enter itself.
 * Units share pure cores by name: nobody enters another unit's handler but where its line says so.
 */
const DOORS: Record<string, readonly string[]> = {
  shared: [],
  'services/author-notify': ['shared', 'services/deliver/mailings.ts', 'services/deliver/reader.ts'],
  'services/deliver': ['shared', 'services/author-notify', 'services/remind'],
  'services/remind': [
    'shared',
    'services/deliver',
    // The policy's default is a decision like any other: written, logged and followed the same way.
    'services/moderation/audit-log.ts',
    'services/moderation/decide.ts',
  ],
  'services/door': [
    'shared',
    'services/validate',
    'services/deliver',
    // What a person may ask of a site, without anybody's help.
    'services/import/forget.ts',
    // The pages without scripts have the widget's look, and speak its words.
    'services/widget/comment-form.ts',
    'services/widget/format.ts',
    'services/widget/page-frame.ts',
    'services/widget/page-words.ts',
    'services/widget/thread-page.ts',
  ],
  'services/author': [
    'shared',
    'services/door',
    'services/deliver/mail-links.ts',
    'services/deliver/reader.ts',
    // Who is signed in at the desk may comment as an author of the site.
    'services/moderation/moderator.ts',
    'services/moderation/sessions.ts',
  ],
  'services/hold': ['shared'],
  'services/learn': ['shared', 'services/spam-check', 'services/validate/markdown.ts'],
  'services/reject': ['shared', 'services/publish/consequences.ts'],
  // It does again what these did not finish.
  'services/reconcile': [
    'shared',
    'services/author-notify/handler.ts',
    'services/moderation/decide.ts',
    'services/moderation/sweep-work.ts',
    // The policy may end the time of a text.
    'services/import/erase.ts',
    'services/spam-check/second-opinion.ts',
    'services/validate/markdown.ts',
  ],
  'services/spam-check': ['shared', 'services/validate'],
  'services/validate': ['shared', 'services/spam-check/fingerprint.ts'],
  'services/moderation': [
    'shared',
    'services/validate',
    'services/spam-check',
    // A digest's links decide: read as they were made, answered by the same plain page.
    'services/deliver/mail-links.ts',
    'services/deliver/page.ts',
    'services/deliver/render.ts',
    'services/remind/admins.ts',
    // What a person may ask by law, the same from the desk as from the command.
    'services/import/forget.ts',
  ],
  'services/webhook': ['shared', 'services/deliver/permalink.ts', 'services/deliver/render.ts'],
  // Types of what the API answers; a bundler drops them.
  // The story of a comment is drawn as the executions page draws it.
  'services/desk': [
    'shared',
    'services/moderation',
    'services/executions',
    'workflows/moderation.asl.json',
    'workflows/review.asl.json',
  ],
  // What is imported is cleaned, rendered and keyed as what is submitted.
  'services/import': ['shared', 'services/validate', 'services/spam-check/fingerprint.ts'],
  services: ['shared'],
  'infra/aws': [
    'shared',
    'services',
    'infra/topology.ts',
    'infra/web',
    'infra/commands/place.ts',
    'infra/measurements.json',
  ],
  'infra/local': ['shared', 'services', 'infra/topology.ts', 'infra/web', 'infra/commands/place.ts'],
  infra: ['shared', 'services', 'infra'],
  test: ['shared', 'services', 'infra', 'workflows'],
};

/** Tests may bring what the rooms beside them have, and the yard's fakes. */
const TEST_FILE = /\.test\.tsx?$|\/testing\//;
const IMPORT =
  /^\s*(?:import|export)\b[^'"]*?from\s+['"](\.[^'"]+)['"]|^\s*import\s+['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]/gm;

const files = ['shared', 'services', 'infra', 'test'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name).split(sep).join('/')),
);

const roomOf = (file: string): string =>
  Object.keys(DOORS)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0] ?? file;

it('imports point inward, through the doors of the table', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    const unit = /^services\/[^/]+/.exec(file)?.[0] ?? room;
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const match of text.matchAll(IMPORT)) {
      const target = relative(ROOT, resolve(ROOT, dirname(file), match[1] ?? match[2] ?? match[3] ?? ''))
        .split(sep)
        .join('/');
      const doors = [unit, ...(DOORS[room] ?? []), ...(TEST_FILE.test(file) ? ['test', 'services'] : [])];
      if (doors.some((door) => target === door || target.startsWith(`${door}/`))) continue;
      const line = text.slice(0, match.index).split('\n').length;
      wrong.push(`${file}:${line} enters ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

it('keeps SQLite, sockets and the SDK in their rooms', () => {
  const RULES: readonly [what: RegExp, where: RegExp][] = [
    [/from ['"]node:sqlite['"]/, /^(infra\/local|test|services\/import)\//],
    [/from ['"]@aws-sdk\//, /^(infra\/aws|infra\/local\/.*\.test\.ts|test)/],
    [/from ['"]aws-cdk-lib/, /^(infra\/aws|test)\//],
    [
      /\bprocess\.env\b/,
      /^(infra|test|services\/(build|spam-check\/(train|evaluate|classify)))|\.test\.tsx?$|vite\.config/,
    ],
  ];
  const wrong = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return RULES.filter(([what, where]) => what.test(text) && !where.test(file)).map(
      ([what]) => `${file}: ${what.source}`,
    );
  });
  expect(wrong).toEqual([]);
});
