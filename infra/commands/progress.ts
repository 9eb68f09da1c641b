import process from 'node:process';

/** A bar on standard error where that is a terminal; else a line at each tenth. */
export function progressBar(label: string, total: number): { add(done: number, note?: string): void; end(): void } {
  const { stderr } = process;
  let done = 0;
  let shownTenth = -1;
  let lastDraw = 0;
  let ended = false;
  const draw = (note: string): void => {
    const share = total > 0 ? Math.min(1, done / total) : 1;
    if (stderr.isTTY) {
      const cells = Math.round(share * 30);
      stderr.write(
        `\r${label} [${'='.repeat(cells)}${' '.repeat(30 - cells)}] ${String(Math.floor(share * 100)).padStart(3)} % ${note}\u001b[K`,
      );
    } else if (Math.floor(share * 10) > shownTenth) {
      shownTenth = Math.floor(share * 10);
      stderr.write(`${label} ${shownTenth * 10} % ${note}\n`);
    }
  };
  return {
    add(step, note = '') {
      done += step;
      const now = Date.now();
      if (now - lastDraw < 100) return;
      lastDraw = now;
      draw(note);
    },
    end() {
      if (ended) return;
      ended = true;
      done = Math.max(done, total);
      draw('');
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}
