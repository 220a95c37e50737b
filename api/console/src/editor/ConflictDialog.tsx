import { useMemo, useState } from "preact/hooks";
import { compare } from "../json/compare";
import { type Divergence, diverge, isConflict, merged } from "../json/merge";
import { scan } from "../json/scan";
import { ChangeList } from "../widgets/ChangeList";
import { Dialog } from "../widgets/Dialog";
import { Path, Person, Time } from "../widgets/small";
import { ThreeWay } from "./ThreeWay";
import type { Conflict } from "./useSave";

/** Somebody else saved first: what they changed, and three ways to go on. */
export function ConflictDialog(props: {
  conflict: Conflict;
  baseText: string;
  onRebase(): void;
  onMerged(text: string): void;
  onReload(): void;
  onClose(): void;
}) {
  const { conflict, baseText } = props;
  const [comparing, setComparing] = useState(false);
  const [choices, setChoices] = useState<Record<string, "mine" | "theirs">>({});
  const sides = useMemo(() => {
    const [base, mine, theirs] = [baseText, conflict.edit.text, conflict.theirs].map((text) => scan(text).tape!) as [
      NonNullable<ReturnType<typeof scan>["tape"]>,
      NonNullable<ReturnType<typeof scan>["tape"]>,
      NonNullable<ReturnType<typeof scan>["tape"]>,
    ];
    return { theirs, changes: compare(base, theirs), places: diverge(base, mine, theirs) };
  }, [baseText, conflict]);
  const disputed = sides.places.filter(isConflict);
  const open = disputed.filter((place) => choices[place.path] === undefined).length;
  const take = (entry: Divergence) =>
    choices[entry.path] ?? (entry.by === "them" ? ("theirs" as const) : ("mine" as const));
  const accept = () =>
    props.onMerged(
      merged(
        sides.theirs,
        sides.places.map((entry) => ({ entry, take: take(entry) })),
      ),
    );
  const rebasable = disputed.length === 0 && !conflict.refused;
  return (
    <Dialog
      title="Someone else saved first"
      wide
      onClose={props.onClose}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            Go back
          </button>
          <button type="button" class="danger" onClick={props.onReload}>
            Reload and drop my changes
          </button>
          {comparing ? (
            <button type="button" class="primary" disabled={open > 0} onClick={accept}>
              Continue with this
            </button>
          ) : (
            <>
              <button type="button" class={rebasable ? "" : "primary"} onClick={() => setComparing(true)}>
                Compare three ways
              </button>
              {rebasable && (
                <button type="button" class="primary" onClick={props.onRebase}>
                  Rebase my changes
                </button>
              )}
            </>
          )}
        </>
      }
    >
      <p>
        Nothing of yours is lost and nothing of theirs was overwritten. You started from version {conflict.edit.version}
        ; the instance is at version {conflict.currentVersion} now.
      </p>
      <Since conflict={conflict} />
      {comparing ? (
        <ThreeWay
          places={sides.places}
          choices={choices}
          onChoose={(path, side) => setChoices({ ...choices, [path]: side })}
        />
      ) : (
        <>
          <h3>What they changed</h3>
          <ChangeList changes={sides.changes} />
          {disputed.length > 0 ? (
            <div class="notice warn">
              <p>You both changed the same values, so you have to decide:</p>
              <ul>
                {disputed.map((place) => (
                  <li key={place.path}>
                    <Path pointer={place.path} />
                  </li>
                ))}
              </ul>
            </div>
          ) : conflict.refused ? (
            <p class="notice warn">The server could not put your changes on top of theirs. Compare three ways.</p>
          ) : (
            <p class="notice info">You changed other values. “Rebase my changes” keeps both.</p>
          )}
        </>
      )}
    </Dialog>
  );
}

function Since({ conflict }: { conflict: Conflict }) {
  return (
    <ul class="since">
      {conflict.since.map((entry) => (
        <li key={entry.version}>
          <strong>
            <Person name={entry.user_name} user={entry.user} />
          </strong>{" "}
          saved version {entry.version} on <Time value={entry.time} />
          {entry.reason ? `: “${entry.reason}”` : ""}
        </li>
      ))}
    </ul>
  );
}
