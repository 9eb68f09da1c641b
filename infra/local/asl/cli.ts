import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SluiceError } from '../../../shared/errors.ts';
import { DEEPEST, nestsTooDeep } from '../nesting.ts';
import { draw } from './draw.ts';
import { isObject } from './env.ts';
import { compile } from './compile.ts';
import type { Json } from './types.ts';
import { type Mocks, runVirtually } from './virtual.ts';

const HELP = `Runs Amazon States Language on a virtual clock, with mocked tasks.

  npm run --silent asl < RUNS.jsonl     one execution a line, one answer a line, as soon as it is done
  npm run --silent asl -- --draw FILE   prints the workflow as Mermaid

A line on stdin:
  {"id": any, "definition": {…}, "input": any, "mocks": {…}, "context": {…}}
    mocks    by state, by call: {"Judge": {"0": {"Return": {…}}, "1-2": {"Throw": {"Error": "…", "Cause": "…"}}}}
             a task with no answer left fails with States.Runtime
    context  laid over the context object
    id, input, mocks and context may be left out; a line that computes for more than 20 s is given up

A line on stdout:
  {"id", "status": "SUCCEEDED", "output", "events"}
  {"id", "status": "FAILED" | "TIMED_OUT" | "ABORTED", "error", "cause", "events"}
  {"id", "status": "INVALID", "error": "InvalidDefinition" | "InvalidLine", "cause", "line"}
`;

/** One line of stdin to one line of stdout. Never throws for what is in the line. */
export async function answerLine(text: string, line: number): Promise<{ [key: string]: unknown }> {
  let id: Json = null;
  try {
    const request: unknown = JSON.parse(text);
    if (!isObject(request)) throw new LineError('a line must be a JSON object');
    const { id: given = null } = request;
    if (!nestsTooDeep(given)) id = given;
    if (nestsTooDeep(request)) throw new LineError(`a line must not nest deeper than ${DEEPEST}`);
    if (request['definition'] === undefined) throw new LineError('"definition" is missing');
    const { context } = request;
    if (context !== undefined && !isObject(context)) throw new LineError('"context" must be an object');
    const mocks = checkMocks(request['mocks'] ?? {});
    const machine = compile(request['definition']);
    const outcome = await runVirtually(machine, {
      input: request['input'] === undefined ? {} : request['input'],
      mocks,
      ...(context === undefined ? {} : { context }),
    });
    return { id, ...outcome };
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'Definition.Invalid') {
      return { id, status: 'INVALID', error: 'InvalidDefinition', cause: error.message, line };
    }
    if (error instanceof LineError || error instanceof SyntaxError) {
      return { id, status: 'INVALID', error: 'InvalidLine', cause: error.message, line };
    }
    // A fault of ours must not lose the lines that follow.
    return { id, status: 'INVALID', error: 'Internal.Bug', cause: String(error), line };
  }
}

class LineError extends Error {}

function checkMocks(value: Json): Mocks {
  if (!isObject(value)) throw new LineError('"mocks" must be an object');
  for (const [state, answers] of Object.entries(value)) {
    if (!isObject(answers)) throw new LineError(`mocks of "${state}" must be an object`);
    for (const [calls, answer] of Object.entries(answers)) {
      const fits = isObject(answer) && ('Return' in answer || isObject(answer['Throw']));
      if (!/^\d+(-\d+)?$/.test(calls) || !fits) {
        throw new LineError(`mocks of "${state}": "${calls}" must be a call ("0", "1-2") with "Return" or "Throw"`);
      }
    }
  }
  return value as Mocks;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' }, draw: { type: 'string' } },
  });
  if (values.help) {
    stdout.write(HELP);
    return;
  }
  if (values.draw !== undefined) {
    stdout.write(draw(compile(readFileSync(values.draw, 'utf8'))));
    return;
  }
  let line = 0;
  for await (const text of createInterface({ input: stdin, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    const written = stdout.write(`${JSON.stringify(await answerLine(text, line))}\n`);
    // A slow reader must not make us hold all answers.
    if (!written) await once(stdout, 'drain');
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof SluiceError ? `${error.message}\n${error.hint}` : String(error)}\n`);
    process.exitCode = 1;
  }
}
