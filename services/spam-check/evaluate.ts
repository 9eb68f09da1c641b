/**
 * `npm run evaluate -- DIR`: the judge's figures on labelled comments, with intervals, by source, kind and language.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { curveSvg, learningCurve } from './learning-curve.ts';
import { METRICS, metricsOf } from './metrics.ts';
import { assess, parseModel, shippedModel } from './model.ts';
import { reliabilityPlot, reliabilitySvg } from './plots.ts';
import { readCorpora, readRows, train, writtenRows } from './training.ts';
import { random } from './fit.ts';
import { UNSEEN_HOLD_FPR, deriveThresholds, verdictOf } from './thresholds.ts';
import type { Metrics, Scored } from './metrics.ts';
import type { Model } from './model.ts';
import type { Corpora, Row } from './training.ts';

const USAGE = `usage: npm run evaluate -- DIR [options]

Without an option, the shipped model judges the rows of DIR. It was trained on the project's own data: on those rows
that flatters it, and the honest figures come from models that have not seen the rows they judge:
  --fold K            train without fold K, judge fold K
  --folds             each fold by a model trained on the others (out-of-fold)
  --loso [--only S]   each source by a model trained on the other sources; S: a comma-separated choice
  --learning-curve    what a site's moderators add on sources that the model never saw

  --model FILE        judge with another model file
  --cache DIR         keep the trained models there, and use those that are (they are not checked against the data)
  --toxic             the toxicity axis (rows with toxic: 0|1)
  --boot N            bootstrap samples for the 95 % intervals (default 200)
  --svg FILE          write the reliability plot, or the learning curve, as SVG
  --predictions FILE  write {id, score} lines
  --json              figures as JSON
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fold: { type: 'string' },
    folds: { type: 'boolean' },
    loso: { type: 'boolean' },
    only: { type: 'string' },
    'learning-curve': { type: 'boolean' },
    model: { type: 'string' },
    cache: { type: 'string' },
    toxic: { type: 'boolean' },
    boot: { type: 'string', default: '200' },
    svg: { type: 'string' },
    predictions: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const folder = positionals[0];
if (values.help || !folder) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const print = (line: string) => process.stdout.write(`${line}\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);

type Judged = { row: Row; score: number; toxicity: number; held: boolean; rejected: boolean };

function judgeRows(rows: readonly Row[], model: Model): Judged[] {
  return rows.map((row) => {
    const { score, toxicity } = assess(row, undefined, model);
    const verdict = verdictOf({ score, toxicity: 0 });
    return { row, score, toxicity, held: verdict !== 'publish', rejected: verdict === 'reject' };
  });
}

function trained(corpora: () => Corpora, out: (row: Row) => boolean, name: string): Model {
  const kept = values.cache && join(values.cache, `without-${name.replaceAll(' ', '-')}.bin`);
  if (kept && existsSync(kept)) return parseModel(readFileSync(kept));
  progress(`training without ${name}`);
  const { bytes } = train(corpora(), (row) => !out(row), '');
  if (kept) writeFileSync(kept, bytes);
  return parseModel(bytes);
}

function judgeWithout(corpora: Corpora, rows: readonly Row[], out: (row: Row) => boolean, name: string): Judged[] {
  return judgeRows(
    rows.filter(out),
    trained(() => corpora, out, name),
  );
}

function judgeAll(all: readonly Row[]): Judged[] {
  if (values.fold !== undefined || values.folds || values.loso) {
    const known = [...all, ...writtenRows()];
    const corpora = readCorpora(known);
    const folds = values.folds ? [...new Set(all.map((row) => row.fold))].toSorted() : [Number(values.fold)];
    if (!values.loso) return folds.flatMap((k) => judgeWithout(corpora, all, (row) => row.fold === k, `fold ${k}`));
    const only = values.only?.split(',');
    const sources = [...new Set(corpora.rows.map((row) => row.source))].filter((s) => !only || only.includes(s));
    return sources.flatMap((s) => judgeWithout(corpora, known, (row) => row.source === s, s));
  }
  return judgeRows(all, values.model ? parseModel(readFileSync(values.model)) : shippedModel());
}

/** What the defaults must be at least, for sites that a model never saw. */
function unseenThresholds(judged: readonly Judged[]): string {
  const ham = Map.groupBy(
    judged.filter(({ row }) => row.label === 'ham'),
    ({ row }) => row.source,
  );
  const groups = [...ham.values()].map((group) => ({
    blog: group[0]!.row.kind === 'blog',
    scores: group.map(({ score }) => score),
  }));
  return `\nthresholds for a site that the model never saw: ${JSON.stringify(deriveThresholds(groups, UNSEEN_HOLD_FPR))}`;
}

type Interval = [low: number, high: number];
const at = (sorted: number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
function intervals(rows: readonly Scored[], samples: number): Partial<Record<keyof Metrics, Interval>> {
  const next = random(7);
  const drawn = new Map<keyof Metrics, number[]>();
  for (let b = 0; b < samples; b++) {
    const metrics = metricsOf(Array.from(rows, () => rows[Math.floor(next() * rows.length)]!));
    for (const name of METRICS)
      if (!Number.isNaN(metrics[name])) drawn.set(name, [...(drawn.get(name) ?? []), metrics[name]]);
  }
  return Object.fromEntries(
    [...drawn].map(([name, list]) => {
      const sorted = list.toSorted((a, b) => a - b);
      return [name, [at(sorted, 0.025), at(sorted, 0.975)]];
    }),
  );
}

const HEAD = ['AUC', 'AP', 'acc .5', 'R@P99', 'R@1%', 'R@.1%', 'ECE', 'Brier'];
const cell = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(4)).padStart(8);

if (values['learning-curve']) {
  const rows = readRows(folder);
  // Read once, and only if something is to be trained.
  let corpora: Corpora | undefined;
  const curve = learningCurve(
    rows.filter((row) => row.toxic === undefined),
    (source) =>
      trained(
        () => (corpora ??= readCorpora([...rows, ...writtenRows()])),
        (row) => row.source === source,
        source,
      ),
    values.only?.split(','),
  );
  print(
    `${'source'.padEnd(20)}${'decisions'.padStart(10)}${'AUC'.padStart(9)}${'recall'.padStart(9)}${'FP'.padStart(9)}`,
  );
  for (const { source, decisions, auc, recall, fpr } of curve)
    print(
      `${source.padEnd(20)}${String(decisions).padStart(10)}${auc.toFixed(4).padStart(9)}${recall.toFixed(4).padStart(9)}${fpr.toFixed(4).padStart(9)}`,
    );
  if (values.svg) writeFileSync(values.svg, curveSvg(curve));
} else {
  const all = readRows(folder);
  const judged = judgeAll(all).filter(({ row }) => (row.toxic !== undefined) === (values.toxic ?? false));
  if (judged.length === 0) {
    progress(`no row of ${folder} has a label of this axis`);
    process.exit(1);
  }
  const scored = (list: readonly Judged[]): Scored[] =>
    list.map(({ row, score, toxicity }) =>
      values.toxic ? { score: toxicity, label: row.toxic ?? 0 } : { score, label: row.label === 'spam' ? 1 : 0 },
    );
  const groups: [string, Judged[]][] = [
    ['all', judged],
    ...(['kind', 'lang', 'source'] as const).flatMap((by) =>
      [...Map.groupBy(judged, ({ row }) => row[by])].map(([key, list]): [string, Judged[]] => [`${by} ${key}`, list]),
    ),
  ];
  const samples = Number(values.boot);
  const report = groups.map(([name, list]) => {
    const rows = scored(list);
    const ham = list.filter(({ row }) => row.label === 'ham');
    const spam = list.filter(({ row }) => row.label === 'spam');
    return {
      name,
      ...metricsOf(rows),
      // Per source with half the samples: the intervals are wide enough to say so.
      intervals: intervals(rows, name === 'all' ? samples : Math.floor(samples / 2)),
      hamHeld: ham.filter(({ held }) => held).length / ham.length,
      hamRejected: ham.filter(({ rejected }) => rejected).length / ham.length,
      spamHeld: spam.filter(({ held }) => held).length / spam.length,
      spamRejected: spam.filter(({ rejected }) => rejected).length / spam.length,
    };
  });
  if (values.json) print(JSON.stringify(report, null, 1));
  else {
    print(
      `${''.padEnd(26)}${'n'.padStart(7)}${'pos'.padStart(6)}${HEAD.map((h) => h.padStart(8)).join('')}${['ham≥hold', 'ham≥rej', 'spam≥hold', 'spam≥rej'].map((h) => h.padStart(10)).join('')}`,
    );
    for (const m of report) {
      const rates = [m.hamHeld, m.hamRejected, m.spamHeld, m.spamRejected].map((rate) => cell(rate).padStart(10));
      print(
        `${m.name.padEnd(26)}${String(m.n).padStart(7)}${String(m.positives).padStart(6)}${METRICS.map((k) => cell(m[k])).join('')}${values.toxic ? '' : rates.join('')}`,
      );
      for (const side of [0, 1] as const)
        print(
          `${(side === 0 ? '   95 % from' : '        to').padEnd(39)}${METRICS.map((k) => cell(m.intervals[k]?.[side] ?? Number.NaN)).join('')}`,
        );
    }
    if (values.loso && !values.toxic) print(unseenThresholds(judged));
    print('');
    print(reliabilityPlot(scored(judged)));
  }
  if (values.svg) writeFileSync(values.svg, reliabilitySvg(scored(judged)));
  if (values.predictions)
    writeFileSync(
      values.predictions,
      judged
        .map(({ row, score, toxicity }) => JSON.stringify({ id: row.id, score: values.toxic ? toxicity : score }))
        .join('\n'),
    );
}
