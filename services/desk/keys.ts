import type { Word } from './words.ts';

/** What a single key does; each can be moved to another key, and all can be switched off (WCAG 2.1.4). */
export const COMMANDS = {
  next: { key: 'j', word: 'keyNext' },
  previous: { key: 'k', word: 'keyPrevious' },
  skip: { key: 'n', word: 'keySkip' },
  publish: { key: 'p', word: 'publish' },
  reject: { key: 'r', word: 'reject' },
  spam: { key: 's', word: 'markSpam' },
  hold: { key: 'h', word: 'hold' },
  keep: { key: 'd', word: 'keep' },
  select: { key: 'x', word: 'keySelect' },
  undo: { key: 'u', word: 'keyUndo' },
  accept: { key: 'y', word: 'keyAccept' },
  story: { key: 'o', word: 'keyStory' },
  search: { key: '/', word: 'keySearch' },
  filters: { key: 'f', word: 'filters' },
  help: { key: '?', word: 'keyHelp' },
} as const satisfies Record<string, { key: string; word: Word }>;

export type Command = keyof typeof COMMANDS;
export type Keys = { on: boolean; keys: Record<Command, string> };

const STORED = 'sluice-desk-keys';

export const defaultKeys = (): Keys => ({
  on: true,
  keys: Object.fromEntries(Object.entries(COMMANDS).map(([name, { key }]) => [name, key])) as Record<Command, string>,
});

export function readKeys(): Keys {
  try {
    const stored: Partial<Keys> = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    const base = defaultKeys();
    return { on: stored.on ?? true, keys: { ...base.keys, ...stored.keys } };
  } catch {
    return defaultKeys();
  }
}

export const writeKeys = (keys: Keys): void => localStorage.setItem(STORED, JSON.stringify(keys));

/** Moves a command to a key; whoever had that key gets the old one. */
export function moveKey(keys: Keys, command: Command, key: string): Keys {
  const other = (Object.keys(keys.keys) as Command[]).find((name) => keys.keys[name] === key);
  const moved = { ...keys.keys, [command]: key };
  if (other && other !== command) moved[other] = keys.keys[command];
  return { ...keys, keys: moved };
}

/** The command of a key press, unless somebody is typing or the browser means something by it. */
export function commandOf(event: KeyboardEvent, keys: Keys): Command | undefined {
  if (!keys.on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const target = event.target instanceof Element ? event.target : undefined;
  if (target?.closest('input:not([type=checkbox]), textarea, select, [contenteditable], dialog')) return undefined;
  return (Object.keys(keys.keys) as Command[]).find((name) => keys.keys[name] === event.key);
}
