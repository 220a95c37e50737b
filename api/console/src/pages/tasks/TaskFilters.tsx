import { useEffect, useState } from "preact/hooks";
import { TASK_STATUSES } from "../../api/types";
import { TASK_STATUS_WORDS } from "../../api/words";
import { Field } from "../../widgets/small";
import { type TextFilter, textFilter } from "../addressFilter";

export const taskFilter = textFilter(["keyword", "key", "status", "instance_id"]);
type TaskFilter = TextFilter<"keyword" | "key" | "status" | "instance_id">;

/** The filters of the tasks. Keys are offered from the tasks in view. */
export function TaskFilters(props: { filter: TaskFilter; keys: string[]; onChange(filter: TaskFilter): void }) {
  const { filter, onChange } = props;
  const [typed, setTyped] = useState(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter with the same values is the same filter.
  useEffect(() => setTyped(filter), [JSON.stringify(filter)]);
  const text = (name: "keyword" | "key" | "instance_id", label: string, placeholder: string, list?: string) => (
    <Field label={label} class={name === "keyword" ? "grow" : ""}>
      {(id) => (
        <input
          id={id}
          list={list}
          data-find={name === "keyword" || undefined}
          type={name === "keyword" ? "search" : "text"}
          value={typed[name]}
          placeholder={placeholder}
          autocomplete="off"
          onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <form
      class="filters"
      aria-label="Filter the tasks"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(typed);
      }}
    >
      {text("keyword", "Keyword value", "Whole, or begin*")}
      {text("key", "Keyword", "Any", "task-keys")}
      <datalist id="task-keys">
        {props.keys.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      {text("instance_id", "Instance", "Any id")}
      <Field label="Status">
        {(id) => (
          <select
            id={id}
            value={filter.status}
            onChange={(event) => onChange({ ...typed, status: event.currentTarget.value })}
          >
            <option value="">Any</option>
            {TASK_STATUSES.map((status) => (
              <option key={status} value={status}>
                {TASK_STATUS_WORDS[status]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <button type="submit" class="primary">
        Filter
      </button>
      {!taskFilter.isEmpty(filter) && (
        <button type="button" class="quiet-button" onClick={() => onChange(taskFilter.none)}>
          Clear filters
        </button>
      )}
    </form>
  );
}
