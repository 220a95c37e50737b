import { useEffect, useRef, useState } from "preact/hooks";

interface Option {
  value: string;
  label: string;
}

/** Several of a few: a button that opens a group of checkboxes. */
export function MultiSelect(props: {
  label: string;
  options: readonly Option[];
  chosen: readonly string[];
  /** Stands on the button instead of what is chosen. */
  caption?: string;
  onChange(chosen: string[]): void;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => !root.current?.contains(event.target as Node) && setOpen(false);
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);
  const names = props.options.filter((option) => props.chosen.includes(option.value)).map((option) => option.label);
  const summary = props.caption ?? (names.length === 0 ? "Any" : names.join(", "));
  const toggle = (value: string) =>
    props.onChange(
      props.chosen.includes(value) ? props.chosen.filter((one) => one !== value) : [...props.chosen, value],
    );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes from anywhere inside; the button and the boxes are the controls.
    <div
      class="menu multiselect"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        ref={button}
        type="button"
        class="select"
        aria-label={props.caption ? props.label : `${props.label}: ${summary}`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span>{summary}</span>
      </button>
      {open && (
        <fieldset class="menu-list" aria-label={props.label}>
          {props.options.map((option) => (
            <label key={option.value} class="check">
              <input
                type="checkbox"
                checked={props.chosen.includes(option.value)}
                onChange={() => toggle(option.value)}
              />
              {option.label}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}
