import { useEffect, useId, useState } from "preact/hooks";
import type { Definition } from "../api/types";
import { Field } from "../widgets/small";
import { DefinitionOptions, SearchKeyOptions, StatusField } from "./conditionFields";
import { type Filter, filterFrom, isSearch, keysOf, queryOf, SIZES, SORTS } from "./instanceQuery";

const EMPTY = filterFrom(new URLSearchParams());
const LAYOUT = { size: EMPTY.size, sort: EMPTY.sort };

export function Filters(props: { filter: Filter; definitions: Definition[]; onChange(filter: Filter): void }) {
  const { filter, onChange } = props;
  const { find, text, key, value } = filter;
  const [typed, setTyped] = useState({ find, text, key, value });
  useEffect(() => setTyped({ find, text, key, value }), [find, text, key, value]);
  const keys = keysOf(props.definitions, filter.definition);
  const list = useId();
  const hint: Record<string, string> = { number: "e.g. 720 or >= 500", date: "YYYY-MM-DD", boolean: "true or false" };
  const type = keys.find((one) => one.key === typed.key)?.type;
  return (
    <form
      class="filters"
      aria-label="Filters"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ ...filter, ...typed });
      }}
    >
      <Field label="Id or title" class="grow">
        {(id) => (
          <input
            id={id}
            type="search"
            data-find
            value={typed.find}
            placeholder="A whole id, or a part of a title"
            onInput={(event) => setTyped({ ...typed, find: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Search text" class="grow">
        {(id) => (
          <input
            id={id}
            type="search"
            value={typed.text}
            placeholder="Words in the searchable variables"
            onInput={(event) => setTyped({ ...typed, text: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Search key">
        {(id) => (
          <>
            <input
              id={id}
              list={list}
              value={typed.key}
              placeholder="Any"
              autocomplete="off"
              onInput={(event) => setTyped({ ...typed, key: event.currentTarget.value })}
            />
            <SearchKeyOptions id={list} keys={keys} />
          </>
        )}
      </Field>
      <Field label="Key value">
        {(id) => (
          <input
            id={id}
            value={typed.value}
            placeholder={hint[type ?? ""] ?? "exact, or begin*"}
            onInput={(event) => setTyped({ ...typed, value: event.currentTarget.value })}
          />
        )}
      </Field>
      <button type="submit" class="primary">
        Search
      </button>
      <div class="filters-row">
        <StatusField chosen={filter.status} onChange={(status) => onChange({ ...filter, ...typed, status })} />
        <Field label="Definition">
          {(id) => (
            <select
              id={id}
              value={filter.definition}
              onChange={(event) => onChange({ ...filter, ...typed, definition: event.currentTarget.value })}
            >
              <DefinitionOptions definitions={props.definitions} />
              {!props.definitions.some((one) => one.key === filter.definition) && filter.definition && (
                <option>{filter.definition}</option>
              )}
            </select>
          )}
        </Field>
        <Day label="Started from" value={filter.from} onChange={(from) => onChange({ ...filter, ...typed, from })} />
        <Day label="Started until" value={filter.to} onChange={(to) => onChange({ ...filter, ...typed, to })} />
        {!isSearch(filter) && (
          <Field label="Order">
            {(id) => (
              <select
                id={id}
                value={filter.sort}
                onChange={(event) => onChange({ ...filter, ...typed, sort: event.currentTarget.value })}
              >
                {Object.entries(SORTS).map(([sort, words]) => (
                  <option key={sort} value={sort}>
                    {words}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label="Rows">
          {(id) => (
            <select
              id={id}
              value={String(filter.size)}
              onChange={(event) => onChange({ ...filter, ...typed, size: Number(event.currentTarget.value) })}
            >
              {SIZES.map((size) => (
                <option key={size}>{size}</option>
              ))}
            </select>
          )}
        </Field>
        {queryOf({ ...filter, ...LAYOUT }) !== "" && (
          <button
            type="button"
            class="quiet-button"
            onClick={() => onChange({ ...EMPTY, size: filter.size, sort: filter.sort })}
          >
            Clear filters
          </button>
        )}
      </div>
    </form>
  );
}

export function Day(props: { label: string; value: string; onChange(day: string): void }) {
  return (
    <Field label={props.label}>
      {(id) => (
        <input
          id={id}
          type="date"
          value={props.value}
          onChange={(event) => props.onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
