/** localStorage that may be missing, full or forbidden: then nothing is kept, and nothing breaks. */
export function load<T>(key: string): T | undefined {
  try {
    return JSON.parse(localStorage[key]);
  } catch {
    return undefined;
  }
}

/** Without a value, forgets the key. */
export function keep(key: string, value?: unknown): void {
  try {
    if (value) localStorage[key] = JSON.stringify(value);
    else delete localStorage[key];
  } catch {
    // Private windows and full disks: the draft lives as long as the page.
  }
}
