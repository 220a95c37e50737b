import { compare } from "./compare";
import { format } from "./format";
import { scan } from "./scan";
import type { Tape } from "./tape";
import type { Job, Outcome } from "./work";

const buffers = (tape: Tape): Transferable[] =>
  [tape.kind, tape.start, tape.end, tape.keyStart, tape.keyEnd, tape.parent, tape.next, tape.size, tape.order].map(
    (column) => column.buffer,
  );

function run(job: Job): Outcome {
  switch (job.do) {
    case "format":
      return { text: format(job.text) };
    case "compare": {
      const before = scan(job.before).tape;
      const after = scan(job.after).tape;
      return { changes: before && after ? compare(before, after) : [] };
    }
    case "scan": {
      const { tape, problems } = scan(job.text, { requireObject: job.requireObject });
      // The page has the text already: only the columns travel, and they are moved, not copied.
      return { problems, tape: job.keepTape ? tape && { ...tape, text: "" } : null, valid: tape !== null };
    }
  }
}

self.onmessage = (event: MessageEvent<{ id: number; job: Job }>) => {
  const outcome = run(event.data.job);
  const moved = "tape" in outcome && outcome.tape ? buffers(outcome.tape) : [];
  self.postMessage({ id: event.data.id, outcome }, { transfer: moved });
};
