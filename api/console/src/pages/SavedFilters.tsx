import { useId, useState } from "preact/hooks";
import { announce } from "../widgets/announce";
import { Dialog } from "../widgets/Dialog";
import { Menu } from "../widgets/Menu";
import { Field } from "../widgets/small";
import { keepFilters, type SavedFilter, savedFilters, withFilter, withoutFilter } from "./savedFilters";

/** A menu of the filters that somebody keeps in this browser, and what can be done with them. */
export function SavedFilters(props: { workspace: string; query: string; onChoose(query: string): void }) {
  const { workspace, query } = props;
  const [filters, setFilters] = useState(() => savedFilters(workspace));
  const [naming, setNaming] = useState(false);
  const keep = (next: SavedFilter[], said: string) => {
    keepFilters(workspace, next);
    setFilters(next);
    announce(said);
  };
  const current = filters.find((one) => one.query === query);
  const items = filters.map((one) => ({ label: one.name, onSelect: () => props.onChoose(one.query) }));
  if (current)
    items.push({
      label: `Remove “${current.name}”`,
      onSelect: () => keep(withoutFilter(filters, current.name), `Removed “${current.name}”`),
    });
  else if (query !== "") items.push({ label: "Save these filters…", onSelect: () => setNaming(true) });
  else if (filters.length === 0) items.push({ label: "Nothing saved yet: filter first", onSelect: () => undefined });
  return (
    <>
      <Menu label="Saved filters" class="" items={items}>
        Saved filters
      </Menu>
      {naming && (
        <NameDialog
          taken={filters.map((one) => one.name)}
          onClose={() => setNaming(false)}
          onNamed={(name) => {
            setNaming(false);
            keep(withFilter(filters, { name, query }), `Saved as “${name}”`);
          }}
        />
      )}
    </>
  );
}

function NameDialog(props: { taken: string[]; onNamed(name: string): void; onClose(): void }) {
  const [name, setName] = useState("");
  const form = useId();
  const given = name.trim();
  return (
    <Dialog
      title="Save these filters"
      onClose={props.onClose}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" form={form} class="primary" disabled={given === ""}>
            {props.taken.includes(given) ? "Replace" : "Save"}
          </button>
        </>
      }
    >
      <form
        id={form}
        onSubmit={(event) => {
          event.preventDefault();
          if (given !== "") props.onNamed(given);
        }}
      >
        <Field label="Name" hint="They are kept in this browser. Send the address of the page to share them.">
          {(id) => (
            <input id={id} value={name} maxLength={60} onInput={(event) => setName(event.currentTarget.value)} />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
