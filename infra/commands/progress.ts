import process from 'node:process';

/**
 * A bar on standard error where that is a terminal; else a line at each tenth.
 *
 * The bar shows what was reached and no more: after a fault it stands where the work stopped.
 */
export function progressBar(
  label: string,
  total: number,
  stderr: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): { add(done: number, note?: string): void; end(): void } {
  let done = 0;
  let note = '';
  let shownTenth = -1;
  let lastDraw = 0;
  let ended = false;
  const draw = () => {
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
  if (stderr.isTTY) draw();
  return {
    add(step, words = '') {
      done += step;
      note = words;
      const now = Date.now();
      if (now - lastDraw < 100) return;
      lastDraw = now;
      draw();
    },
    end() {
      if (ended) return;
      ended = true;
      draw();
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}
