import { useId } from "preact/hooks";
import { type Definition, STATUSES } from "../../api/types";
import { STATUS_WORDS } from "../../api/words";
import { MultiSelect } from "../../widgets/MultiSelect";
import { Field } from "../../widgets/small";
import { keysOf } from "../instanceQuery";
import type { Selection } from "./selection";

const OPTIONS = STATUSES.map((value) => ({ value, label: STATUS_WORDS[value] }));

/** The conditions of a selection, to be changed. */
export function SelectionFields(props: {
  selection: Selection;
  definitions: Definition[];
  onChange(selection: Selection): void;
}) {
  const { selection, onChange } = props;
  const list = useId();
  return (
    <fieldset class="filters" aria-label="Instances to change">
      <Field label="Definition">
        {(id) => (
          <select
            id={id}
            value={selection.definition}
            onChange={(event) => onChange({ ...selection, definition: event.currentTarget.value })}
          >
            <option value="">Any</option>
            {props.definitions.map((one) => (
              <option key={one.key} value={one.key}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="field">
        <span class="label" aria-hidden="true">
          Status
        </span>
        <MultiSelect
          label="Status"
          options={OPTIONS}
          chosen={selection.statuses}
          onChange={(statuses) => onChange({ ...selection, statuses })}
        />
      </div>
      <Field label="Search key">
        {(id) => (
          <>
            <input
              id={id}
              list={list}
              value={selection.key}
              placeholder="Any"
              autocomplete="off"
              onChange={(event) => onChange({ ...selection, key: event.currentTarget.value })}
            />
            <datalist id={list}>
              {keysOf(props.definitions, selection.definition).map((one) => (
                <option key={one.key} value={one.key}>
                  {one.type}
                </option>
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="Key value">
        {(id) => (
          <input
            id={id}
            value={selection.value}
            placeholder="exact, or begin*"
            onChange={(event) => onChange({ ...selection, value: event.currentTarget.value })}
          />
        )}
      </Field>
    </fieldset>
  );
}
