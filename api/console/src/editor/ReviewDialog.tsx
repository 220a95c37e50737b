import { useState } from "preact/hooks";
import { ProblemError } from "../api/http";
import type { Preview } from "../api/types";
import type { Change } from "../json/compare";
import { ChangeList, summary } from "../widgets/ChangeList";
import { Dialog } from "../widgets/Dialog";
import { useEvery } from "../widgets/load";
import { Fact, ReasonField, Trouble } from "../widgets/small";
import type { Phase } from "./useSave";
import { WarningList } from "./WarningList";

export interface Review {
  /** What the preview says, with the values before. */
  changes: Change[];
  preview: Preview;
  /** The instance has moved on since the edit began. */
  moved: boolean;
}

export function ReviewDialog(props: {
  title: string;
  action: string;
  review: Review;
  reason: string;
  onReason(reason: string): void;
  phase: Phase;
  onApply(): void;
  onClose(): void;
}) {
  const { review, phase } = props;
  const busy = phase.at === "sending" || phase.at === "waiting";
  const refused = phase.at === "failed" && isFinal(phase.reason);
  const nothing = review.changes.length === 0;
  return (
    <Dialog
      title={props.title}
      wide
      busy={busy}
      onClose={props.onClose}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            {busy ? "Stop and go back" : "Go back"}
          </button>
          <button type="button" class="primary" disabled={busy || nothing || refused} onClick={props.onApply}>
            {phase.at === "sending" ? "Applying…" : props.action}
          </button>
        </>
      }
    >
      {phase.at === "waiting" && <LostConnection phase={phase} />}
      {phase.at === "failed" && <Trouble reason={phase.reason} />}
      {review.moved && (
        <p class="notice info">
          Someone else has changed this instance since you opened it. Nothing is overwritten: you will be asked how to
          go on.
        </p>
      )}
      <h3>What changes ({summary(review.changes)})</h3>
      {nothing ? (
        <p>Only the layout of the text differs. No value changes, so there is nothing to save.</p>
      ) : (
        <ChangeList changes={review.changes} />
      )}
      {!nothing && <Affects affects={review.preview.affects} />}
      {review.preview.warnings.length > 0 && (
        <>
          <h3>Keep in mind</h3>
          <WarningList warnings={review.preview.warnings} />
        </>
      )}
      {!nothing && <ReasonField value={props.reason} onChange={props.onReason} disabled={busy} />}
    </Dialog>
  );
}

/** Whether the same edit is refused however often it is sent. */
function isFinal(reason: unknown): boolean {
  return reason instanceof ProblemError && ["instance-not-editable", "permission-denied"].includes(reason.slug);
}

function Affects({ affects }: { affects: Preview["affects"] }) {
  const rows: [string, string[]][] = [
    ["Task keywords", affects.keywords],
    ["Search fields", affects.search],
    ["Tasks", affects.tasks],
  ];
  return (
    <>
      <h3>What follows on its own</h3>
      {rows.every(([, names]) => names.length === 0) ? (
        <p class="quiet">No task keyword, no search field and no task uses these values.</p>
      ) : (
        <dl class="affects">
          {rows.map(
            ([label, names]) =>
              names.length > 0 && (
                <Fact key={label} name={label} class="mono">
                  {names.join(", ")}
                </Fact>
              ),
          )}
        </dl>
      )}
    </>
  );
}

function LostConnection({ phase }: { phase: Extract<Phase, { at: "waiting" }> }) {
  const [began, setBegan] = useState({ of: phase.waiting, at: Date.now() });
  const [now, setNow] = useState(Date.now());
  if (began.of !== phase.waiting) setBegan({ of: phase.waiting, at: Date.now() });
  useEvery(1000, () => setNow(Date.now()));
  const left = Math.max(0, Math.ceil(phase.waiting.seconds - (now - began.at) / 1000));
  return (
    <div class="notice warn" role="alert">
      <p>
        <strong>The connection is lost.</strong> Your text is safe here. Trying again in {left} s; the change is applied
        once, even if an earlier try got through.
      </p>
      <button type="button" onClick={phase.tryNow}>
        Try now
      </button>
    </div>
  );
}
