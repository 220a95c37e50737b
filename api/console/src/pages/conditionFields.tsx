/** What the filters of the list and the selection of a bulk modification offer alike. */
import { type Definition, type SearchKey, STATUSES } from "../api/types";
import { STATUS_WORDS } from "../api/words";
import { MultiSelect } from "../widgets/MultiSelect";

const STATUS_OPTIONS = STATUSES.map((value) => ({ value, label: STATUS_WORDS[value] }));

export function StatusField(props: { chosen: string[]; onChange(statuses: string[]): void }) {
  return (
    <div class="field">
      <span class="label" aria-hidden="true">
        Status
      </span>
      <MultiSelect label="Status" options={STATUS_OPTIONS} chosen={props.chosen} onChange={props.onChange} />
    </div>
  );
}

/** The options of a select: any definition, or one of these. */
export function DefinitionOptions(props: { definitions: Definition[] }) {
  return (
    <>
      <option value="">Any</option>
      {props.definitions.map((one) => (
        <option key={one.key} value={one.key}>
          {one.name}
        </option>
      ))}
    </>
  );
}

/** The known keys for the text field whose `list` has this id. */
export function SearchKeyOptions(props: { id: string; keys: SearchKey[] }) {
  return (
    <datalist id={props.id}>
      {props.keys.map((one) => (
        <option key={one.key} value={one.key}>
          {one.type}
        </option>
      ))}
    </datalist>
  );
}
