import { useId } from "preact/hooks";
import { go, to } from "../../router";
import { type Filter, queryOf } from "../instanceQuery";
import { instances } from "./jobWords";
import { queryOfIds, whyNotAll } from "./selection";

/** The way from the list of instances to a bulk modification: of those ticked, or of all that match the filter. */
export function BulkBar(props: {
  workspace: string;
  filter: Filter;
  ticked: ReadonlySet<string>;
  onTicked(ticked: ReadonlySet<string>): void;
}) {
  const { workspace, filter, ticked } = props;
  const why = useId();
  const whyNot = whyNotAll(filter);
  return (
    <div class="toolbar" role="toolbar" aria-label="Bulk modification">
      <button
        type="button"
        disabled={ticked.size === 0}
        onClick={() => void go(to.newBulk(workspace, queryOfIds(ticked)))}
      >
        {ticked.size === 0 ? "Modify ticked instances" : `Modify ${instances(ticked.size)}`}
      </button>
      <button
        type="button"
        disabled={whyNot !== null}
        aria-describedby={why}
        onClick={() => void go(to.newBulk(workspace, queryOf({ ...filter, sort: "", size: 25 })))}
      >
        Modify all that match
      </button>
      {ticked.size > 0 && (
        <button type="button" class="quiet-button" onClick={() => props.onTicked(new Set())}>
          Clear ticks
        </button>
      )}
      <span id={why} class="quiet">
        {whyNot}
      </span>
    </div>
  );
}

export function withTick(ticked: ReadonlySet<string>, id: string, on: boolean): ReadonlySet<string> {
  const next = new Set(ticked);
  if (on) next.add(id);
  else next.delete(id);
  return next;
}
