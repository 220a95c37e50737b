import { describe } from "../json/problems";
import { ConnectionLost, ProblemError } from "./http";
import type { Arrival, ReadModel, Status, Warning } from "./types";

/** Technical answers in the words of a person with a stuck process. */

export const STATUS_WORDS: Record<Status, string> = {
  STARTED: "Started",
  ON_HOLD: "On Hold",
  FINISHED: "Finished",
  FAILED: "Failed",
  TERMINATED: "Terminated",
  EXPIRED: "Expired",
  ABORTED: "Aborted",
};

export const TASK_STATUS_WORDS: Record<string, string> = { OPEN: "Open", CLOSED: "Closed" };

export const PROJECTION_STATE_WORDS: Record<string, string> = {
  running: "Running",
  paused: "Paused",
  rebuilding: "Rebuilding",
  failing: "Failing",
};

/** Where a change is on its way to the process engine. */
export function deliveryWords({ state, detail }: ReadModel): string {
  switch (state) {
    case "delivered":
      return "has the change";
    case "conflict":
      return "has changed the same values itself: somebody has to decide";
    case "failed":
      return `refused the change: ${detail ?? ""}`;
    default:
      return detail ? `waiting: ${detail}` : "the change is on its way";
  }
}

/** What a consumer of the event feed has made of the changes. */
export function arrivalWords({ state, version, refused_version, detail }: Arrival): string {
  switch (state) {
    case "applied":
      return `has applied version ${version}`;
    case "refused":
      return `refused version ${refused_version}: ${detail}`;
    default:
      return version === 0 ? "has not come to it yet" : `has not come to it yet, is at version ${version}`;
  }
}

export function explain(reason: unknown): string {
  if (reason instanceof ConnectionLost)
    return "The server cannot be reached. Check your connection; nothing was lost here.";
  if (!(reason instanceof ProblemError)) return reason instanceof Error ? reason.message : String(reason);
  const { members, slug, detail } = reason;
  switch (slug) {
    case "permission-denied":
      return `You are not allowed to do this. It needs the permission ${String(members.permission ?? "")}; a workspace administrator can give it.`;
    case "instance-not-editable": {
      const status = STATUS_WORDS[members.instance_status as Status] ?? String(members.instance_status);
      return `This instance is ${status} now. Only instances that are Started or On Hold can be modified.`;
    }
    case "invalid-json":
    case "duplicate-key":
      return `Invalid JSON format. ${describe({
        code: "unexpected",
        message: String(members.hint ?? detail),
        offset: 0,
        length: 0,
        line: Number(members.line),
        column: Number(members.column),
      })}`;
    case "schema-violation": {
      const errors = (members.errors ?? []) as { path: string; message: string }[];
      const lines = errors.map((error) => `${error.path || "the document"}: ${error.message}`);
      return `The process definition does not allow these values. ${lines.join("; ")}`;
    }
    case "rule-too-expensive":
      return `${detail} Nothing was saved. The process definition has to be changed, or the values made smaller.`;
    case "not-an-object":
      return "The variables have to be one object: { … }";
    case "too-deep":
      return "Values are nested too deep; 200 levels are the most.";
    case "unrepresentable-value":
      return `A value cannot be kept exactly${members.path ? ` (${String(members.path)})` : ""}. ${detail}`;
    case "idempotency-key-reused":
      return "This save was already sent with other content. Save again.";
    case "engine-unavailable":
      return `${detail} The instance cannot be brought up to date, so it is not edited now. Try again later.`;
    case "delivery-pending":
      return "The last change has not reached the process engine yet. Try again once it has.";
    case "selection-changed":
      return `Other instances are selected by now: ${String(members.total)} in all. Nothing was changed. Do another dry run first.`;
    case "projection-behind":
      return "The current values are still catching up. Try again in a moment.";
  }
  if (reason.status === 401) return "Your sign-in has ended. Sign in again.";
  if (reason.status === 404) return "This does not exist, or you have no role in its workspace.";
  if (reason.status === 413) return "The document is larger than the server accepts.";
  return detail || reason.title;
}

/** What a warning means for the process, in one sentence, and what to do about it. */
export function explainWarning(warning: Warning): { title: string; text: string; subjects: string[] } {
  switch (warning.code) {
    case "subprocesses-not-updated":
      return {
        title: "Subprocesses keep their own values",
        text: "They received a copy when they started and will not see this change. Modify them too if their data must match.",
        subjects: warning.instances ?? [],
      };
    case "back-navigation-restores-old-values":
      return {
        title: "Going back brings the old values back",
        text: "If a user navigates back to one of these steps and its data is reset, this change is undone.",
        subjects: warning.nodes ?? [],
      };
    case "integration-already-called":
      return {
        title: "An integration was already called with the old values",
        text: `${warning.detail} What it answers may not match the new values.`,
        subjects: [],
      };
    case "schema-violated-before":
      return {
        title: "Other values did not fit before",
        text: "The process definition does not allow these values either. They stay as they are, and do not stop this change.",
        subjects: (warning.errors ?? []).map(({ path }) => path || "/"),
      };
    case "schema-not-checked":
      return { title: "The values were not checked", text: warning.detail, subjects: [] };
    case "modifications-lost":
      return { title: "Earlier modifications are undone", text: warning.detail, subjects: [] };
  }
  return { title: warning.code, text: warning.detail, subjects: [] };
}
