import { type Change, compare } from "./compare";
import { format } from "./format";
import JsonWorker from "./json.worker?worker";
import type { Problem } from "./problems";
import { scan } from "./scan";
import type { Tape } from "./tape";

export type Job =
  | { do: "scan"; text: string; requireObject: boolean; keepTape: boolean }
  | { do: "format"; text: string }
  | { do: "compare"; before: string; after: string };
export type Outcome =
  | { problems: Problem[]; tape: Tape | null; valid: boolean }
  | { text: string }
  | { changes: Change[] };

/** Below this size the work is done at once; above it a worker does it, so that the page stays responsive. */
const WORKER_FROM = 150_000;

let worker: Worker | null = null;
let lastId = 0;
const pending = new Map<number, (outcome: Outcome) => void>();

function send<T extends Outcome>(job: Job): Promise<T> {
  if (!worker) {
    worker = new JsonWorker();
    worker.onmessage = (event: MessageEvent<{ id: number; outcome: Outcome }>) => {
      pending.get(event.data.id)?.(event.data.outcome);
      pending.delete(event.data.id);
    };
  }
  const id = ++lastId;
  worker.postMessage({ id, job });
  return new Promise((resolve) => pending.set(id, resolve as (outcome: Outcome) => void));
}

export async function tapeOf(text: string): Promise<Tape> {
  const { tape, problems } = text.length < WORKER_FROM ? scan(text) : await scanFar(text, false, true);
  if (!tape) throw new Error(`This document cannot be shown: ${problems[0]?.message}`);
  return tape;
}

/** Problems of a document under edit: an object if it has to be one, no duplicate names. */
export async function problemsOf(text: string, requireObject = true): Promise<Problem[]> {
  if (text.length < WORKER_FROM) return scan(text, { requireObject }).problems;
  return (await scanFar(text, requireObject, false)).problems;
}

export async function formatted(text: string): Promise<string> {
  return text.length < WORKER_FROM ? format(text) : (await send<{ text: string }>({ do: "format", text })).text;
}

export async function changesBetween(before: string, after: string): Promise<Change[]> {
  if (before.length + after.length < WORKER_FROM) {
    const a = scan(before).tape;
    const b = scan(after).tape;
    return a && b ? compare(a, b) : [];
  }
  return (await send<{ changes: Change[] }>({ do: "compare", before, after })).changes;
}

async function scanFar(text: string, requireObject: boolean, keepTape: boolean) {
  const job: Job = { do: "scan", text, requireObject, keepTape };
  const { problems, tape } = await send<{ problems: Problem[]; tape: Tape | null; valid: boolean }>(job);
  return { problems, tape: tape && { ...tape, text } };
}
