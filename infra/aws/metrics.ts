import type { Environment } from './environment.ts';

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
    const { verdict, batchItemFailures } = (result ?? {}) as { verdict?: unknown; batchItemFailures?: unknown[] };
    if (typeof verdict === 'string') emit({ stage, verdict }, 'Verdicts', 1);
    if (name === 'drain-dead-letters' && code === undefined) {
      emit({ stage }, 'DeadLetters', records - (batchItemFailures?.length ?? 0));
    }
    if (code !== undefined) emit({ stage, code }, 'Faults', 1);
    else if (batchItemFailures && batchItemFailures.length > 0) {
      emit({ stage, code: 'Batch.Partial' }, 'Faults', batchItemFailures.length);
    }
  };
}
