import { useState } from "preact/hooks";
import type { Change } from "../json/compare";
import { Path, Value } from "./small";

const SIGN = { added: "+", removed: "−", replaced: "~" } as const;
const WORD = { added: "Added", removed: "Removed", replaced: "Changed" } as const;
const FIRST = 100;

/** Differences as rows a person can read: where, what it was, what it is. */
export function ChangeList({ changes, label = "Changes" }: { changes: readonly Change[]; label?: string }) {
  const [all, setAll] = useState(false);
  if (changes.length === 0) return <p class="quiet">No differences in values.</p>;
  const visible = all ? changes : changes.slice(0, FIRST);
  return (
    <div>
      <ul class="changes" aria-label={label}>
        {visible.map((change, at) => (
          <li key={`${at} ${change.path}`} class={change.kind}>
            <span class="sign" role="img" aria-label={WORD[change.kind]} title={WORD[change.kind]}>
              {SIGN[change.kind]}
            </span>
            <Path pointer={change.path} />
            <span class="values">
              {change.before !== undefined && (
                <del>
                  <Value literal={change.before} />
                </del>
              )}
              {change.kind === "replaced" && <span aria-hidden="true"> → </span>}
              {change.after !== undefined && (
                <ins>
                  <Value literal={change.after} />
                </ins>
              )}
            </span>
          </li>
        ))}
      </ul>
      {visible.length < changes.length && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          Show all {changes.length} changes
        </button>
      )}
    </div>
  );
}

export function summary(changes: readonly Change[]): string {
  const count = (kind: Change["kind"]) => changes.filter((change) => change.kind === kind).length;
  const parts = [
    [count("replaced"), "changed"],
    [count("added"), "added"],
    [count("removed"), "removed"],
  ].filter(([number]) => number !== 0);
  return parts.length === 0 ? "no value changes" : parts.map(([number, word]) => `${number} ${word}`).join(", ");
}
