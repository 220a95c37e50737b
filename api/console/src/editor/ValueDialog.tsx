import { useId, useState } from "preact/hooks";
import { converted, literalFrom, typedFrom, type ValueType } from "../json/typedValue";
import { Dialog } from "../widgets/Dialog";
import { Field } from "../widgets/small";

const TYPES: [ValueType, string][] = [
  ["text", "Text"],
  ["number", "Number"],
  ["truth", "True or false"],
  ["null", "Null"],
  ["json", "JSON: an object, a list, or any value as it is written"],
];
const TYPE_WORDS = new Map(TYPES.map(([type, words]) => [type, words.split(":")[0]!]));

/** Asks for one value, by a field that suits its type, and for the name of a new member. */
export function ValueDialog(props: {
  title: string;
  /** What is there before. */
  literal: string;
  /** It is to be added: there is no type that it changes. */
  isNew?: boolean;
  /** Only an object will do. */
  objectOnly?: boolean;
  /** For a new member: why a name is not possible, or null. */
  whyNotNamed?: ((name: string) => string | null) | undefined;
  onValue(literal: string, name: string | null): void;
  onClose(): void;
}) {
  const { whyNotNamed } = props;
  const before = typedFrom(props.literal);
  const [value, setValue] = useState(before);
  const [name, setName] = useState("");
  const form = useId();
  const found = literalFrom(value);
  const notNamed = whyNotNamed?.(name) ?? null;
  let problem = notNamed ?? ("problem" in found ? found.problem : null);
  if (problem === null && props.objectOnly && "literal" in found && !found.literal.startsWith("{"))
    problem = "The variables have to be one object: { … }";
  const retyped = !props.isNew && value.type !== before.type;
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" form={form} class="primary" disabled={problem !== null}>
            OK
          </button>
        </>
      }
    >
      <form
        id={form}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === null && "literal" in found) props.onValue(found.literal, whyNotNamed ? name : null);
        }}
      >
        {whyNotNamed && (
          <Field label="Name">
            {(id) => <input id={id} value={name} onInput={(event) => setName(event.currentTarget.value)} />}
          </Field>
        )}
        <ValueField value={value.typed} type={value.type} onChange={(typed) => setValue({ ...value, typed })} />
        {!props.objectOnly && (
          <Field label="Type">
            {(id) => (
              <select
                id={id}
                value={value.type}
                onChange={(event) => setValue(converted(value, event.currentTarget.value as ValueType))}
              >
                {TYPES.map(([type, words]) => (
                  <option key={type} value={type}>
                    {words}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <p class={problem === null ? "quiet" : "bad"} role="status">
          {problem ??
            (retyped
              ? `This changes the type: ${TYPE_WORDS.get(before.type)} becomes ${TYPE_WORDS.get(value.type)}.`
              : "")}
        </p>
      </form>
    </Dialog>
  );
}

function ValueField(props: { type: ValueType; value: string; onChange(typed: string): void }) {
  const { type, value } = props;
  if (type === "null") return <p class="quiet">Null has no value to type.</p>;
  return (
    <Field label="Value">
      {(id) => {
        const field = {
          id,
          value,
          onInput: (event: { currentTarget: { value: string } }) => props.onChange(event.currentTarget.value),
        };
        if (type === "number") return <input {...field} class="mono" inputMode="decimal" autocomplete="off" />;
        if (type === "truth") {
          return (
            <select {...field}>
              <option value="true">true</option>
              <option value="false">false</option>
            </select>
          );
        }
        return (
          <textarea
            {...field}
            class={type === "json" ? "mono" : ""}
            rows={type === "json" ? 10 : 3}
            spellcheck={false}
          />
        );
      }}
    </Field>
  );
}
