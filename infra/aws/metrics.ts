import type { Environment } from './environment.ts';

const VERDICTS = new Set(['publish', 'hold', 'reject']);

/**
 * Metrics inside log lines, which CloudWatch takes out: no call, no wait.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * Few on purpose, since each metric costs 0.30 USD a month: verdicts, faults by code, and what failed of a batch.
 */
export function meter(name: string, { stage }: Pick<Environment, 'stage'>, write: (line: string) => void) {
  const emit = (dimensions: Record<string, string>, metric: string, value: number) =>
    write(
      JSON.stringify({
        _aws: {
          Timestamp: Date.now(),
          CloudWatchMetrics: [
            {
              Namespace: 'Sluice',
              Dimensions: [Object.keys(dimensions)],
              Metrics: [{ Name: metric, Unit: 'Count' }],
            },
          ],
        },
        ...dimensions,
        [metric]: value,
      }),
    );
  return (records: number, result: unknown, code?: string): void => {
    const { next, batchItemFailures } = (result ?? {}) as { next?: string; batchItemFailures?: unknown[] };
    if (name === 'spam-check' && next && VERDICTS.has(next)) emit({ stage, verdict: next }, 'Verdicts', 1);
    if (name === 'drain-dead-letters' && code === undefined) {
      emit({ stage }, 'DeadLetters', records - (batchItemFailures?.length ?? 0));
    }
    if (code !== undefined) emit({ stage, code }, 'Faults', 1);
    else if (batchItemFailures && batchItemFailures.length > 0) {
      emit({ stage, code: 'Batch.Partial' }, 'Faults', batchItemFailures.length);
    }
  };
}
