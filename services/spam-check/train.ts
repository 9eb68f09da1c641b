/**
 * `npm run train -- DIR`: trains the judge on the labelled comments of DIR and writes model.bin beside this file.
 */
import { createHash } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readCorpora, readRows, train, writtenRows } from './training.ts';

const USAGE = `usage: npm run train -- DIR [--out FILE] [--date YYYY-MM-DD]

DIR holds *.jsonl with rows {id, source, lang, kind, text, author?, link?, label: spam|ham, fold}; rows with
toxic: 0|1 train the toxicity axis. The comments of written.jsonl join them. Writes the model that ships (services/spam-check/model.bin) unless --out names
another file. --date is the day of the data, for the record (default: the newest file's day).
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, date: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const folder = positionals[0];
if (values.help || !folder) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 2);
}

const rows = [...readRows(folder), ...writtenRows()];
const made = values.date ?? statSync(folder).mtime.toISOString().slice(0, 10);
process.stderr.write(`${rows.length} rows\n`);
const { bytes, meta } = train(
  readCorpora(rows),
  () => true,
  made,
  (line) => process.stderr.write(`${line}\n`),
);
const out = values.out ?? new URL('model.bin', import.meta.url);
writeFileSync(out, bytes);
const digest = createHash('sha256').update(bytes).digest('hex');
process.stdout.write(
  `model ${meta.version}, ${bytes.length} bytes, sha256 ${digest}\n` +
    `thresholds ${JSON.stringify(meta.thresholds)}: the defaults in thresholds.ts\n`,
);
