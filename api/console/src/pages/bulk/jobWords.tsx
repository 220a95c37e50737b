import type { BulkJob } from "../../api/types";

const STATE_WORDS: Record<BulkJob["state"], string> = {
  running: "Running",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};
const STATE_CLASS = { running: "running", done: "finished", failed: "failing", cancelled: "paused" } as const;

export function JobState({ job }: { job: BulkJob }) {
  const style = job.state === "done" ? "status-finished" : `state-${STATE_CLASS[job.state]}`;
  return <span class={`badge ${style}`}>{STATE_WORDS[job.state]}</span>;
}

export function kindOf(job: BulkJob): string {
  const kind = job.undoes === null && job.change?.format !== "undo" ? "Change" : "Undo";
  return job.dry_run ? `Dry run of ${kind === "Undo" ? "an undo" : "a change"}` : kind;
}

export const instances = (count: number): string => `${count} ${count === 1 ? "instance" : "instances"}`;
