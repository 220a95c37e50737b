import { useId } from "preact/hooks";
import type { Definition } from "../../api/types";
import { Field } from "../../widgets/small";
import { DefinitionOptions, SearchKeyOptions, StatusField } from "../conditionFields";
import { keysOf } from "../instanceQuery";
import type { Selection } from "./selection";

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
            <DefinitionOptions definitions={props.definitions} />
          </select>
        )}
      </Field>
      <StatusField chosen={selection.statuses} onChange={(statuses) => onChange({ ...selection, statuses })} />
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
            <SearchKeyOptions id={list} keys={keysOf(props.definitions, selection.definition)} />
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
