import type { Trace } from '../../../shared/comment.ts';
import moderation from '../../../workflows/moderation.asl.json' with { type: 'json' };
import { drawingOf } from '../../executions/drawing.ts';
import { graphOf } from '../../executions/graph.ts';
import { throughGraph, visitsOfTrace } from '../../executions/timeline.ts';

/** A run over its workflow, as SVG. Loaded when a story is opened: the queue does without. */
export function drawRun(trace: Trace): string {
  const graph = graphOf(moderation);
  return drawingOf(graph, throughGraph(graph, visitsOfTrace(trace)));
}
