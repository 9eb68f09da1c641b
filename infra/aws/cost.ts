/** `npm run cost -- --comments 1000000 [--views 0] [--json] [--curve FILE]`: what a month costs on AWS, line by line. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SluiceError } from '../../shared/errors.ts';
import { ASSUMED, BESIDE, type Bill, bill, type Line, type Part, readMeasurements, readPrices } from './cost-model.ts';
import { curve } from './cost-curve.ts';

function amount(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (Number.isFinite(value) && value >= 0) return value;
  throw new SluiceError('Config.Invalid', `--${name} is "${text}"`, { hint: 'give a number, for example 1000000' });
}

const usd = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

/** One row a service, the table's reads and writes by name below it. */
export function tableOf({ comments, lines, usd: total }: Bill): string {
  const rows = lines.filter((line) => line.usd > 0);
  const width = Math.max(...rows.map(({ service, what }) => service.length + what.length + 2));
  const row = ({ service, what, quantity, unit, usd: cost }: Line) =>
    `  ${`${service}  ${what}`.padEnd(width)}  ${usd(cost).padStart(9)}  ${quantity.toLocaleString('en', { maximumFractionDigits: 1 })} × ${unit}`;
  const listed = (title: string, own: readonly Line[]) => {
    const cost = own.reduce((sum, line) => sum + line.usd, 0);
    return [`${title}: ${usd(cost)} USD`, ...own.toSorted((a, b) => b.usd - a.usd).map(row), ''];
  };
  const part = (name: Part, title: string) =>
    listed(
      title,
      rows.filter((line) => line.part === name),
    );
  const group = (name: Line['group'], title: string) =>
    listed(
      title,
      rows.filter((line) => line.group === name),
    );
  const perMillion = (which: (line: Line) => boolean) =>
    lines.filter(which).reduce((sum, line) => sum + line.usd, 0) * (1e6 / Math.max(1, comments));
  return [
    `${comments.toLocaleString('en')} comments a month: ${usd(total)} USD`,
    '',
    ...part('pipeline', 'From the submission to the verdict'),
    ...part('people', `What a person decides (${ASSUMED.held * 100} % are held)`),
    ...part('edge', 'Around it: CloudFront, and asking what became of it'),
    ...group('mail', `E-mail, ${ASSUMED.mails} a comment`),
    ...group('fixed', 'Whatever happens'),
    `Per million comments: ${usd(perMillion(({ part }) => part === 'pipeline'))} USD to the verdict,` +
      ` ${usd(perMillion(({ group }) => group === 'use'))} with people and CloudFront;` +
      ` one Standard workflow for all of it ${BESIDE.oneStandardWorkflow}, the primitives alone ${BESIDE.floor}`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: {
        comments: { type: 'string', default: '1000000' },
        views: { type: 'string', default: String(ASSUMED.views) },
        json: { type: 'boolean', default: false },
        curve: { type: 'string' },
      },
    });
    const from = { measurements: readMeasurements(), prices: readPrices(), views: amount('views', values.views) };
    const result = bill(amount('comments', values.comments), from);
    if (values.curve) {
      const points = Array.from({ length: 25 }, (_, step) => 10 ** (3 + step / 4));
      writeFileSync(values.curve, curve(points.map((comments) => bill(comments, from))));
    }
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  } catch (error) {
    const known = error instanceof SluiceError || (error instanceof Error && 'code' in error);
    if (!known) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
