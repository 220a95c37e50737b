import { type editor, type IMarkdownString, languages, type Position, Range } from "monaco-editor/editor/editor.api";
import { nameOf, placeAt } from "../json/cursor";
import type { Tape } from "../json/tape";
import { hints, type Suggestion, suggestedNames, suggestedValues } from "../schema/suggestions";

/** From this size on the way to the cursor is too long to be read on a key. */
const LONGEST = 1_000_000;

const schemas = new WeakMap<editor.ITextModel, Tape>();

/** Names and values of this schema are suggested and explained in the model's editors. */
export function setSchema(model: editor.ITextModel, schema: Tape): void {
  schemas.set(model, schema);
}

/** Teaches Monaco to complete and explain texts of a language whose model has a schema. */
export function provideSchemaHints(language: string): void {
  languages.registerCompletionItemProvider(language, {
    triggerCharacters: [" "],
    provideCompletionItems: (model, position, context) => ({
      suggestions: suggestions(model, position, context.triggerCharacter === " "),
    }),
  });
  languages.registerHoverProvider(language, { provideHover: hover });
}

function schemaOf(model: editor.ITextModel): Tape | undefined {
  return model.getValueLength() > LONGEST ? undefined : schemas.get(model);
}

function suggestions(model: editor.ITextModel, position: Position, bySpace: boolean): languages.CompletionItem[] {
  const schema = schemaOf(model);
  if (!schema) return [];
  const text = model.getValue();
  const offset = model.getOffsetAt(position);
  const place = placeAt(text, offset);
  // A space begins a value after its colon, but indents a name.
  if (place.part === "none" || (bySpace && (place.part === "name" || place.start < place.end))) return [];
  const range = Range.fromPositions(model.getPositionAt(place.start), model.getPositionAt(place.end));
  const follows = text.slice(place.end).match(/^\s*(.?)/)![1]!;
  const comma = '"{['.includes(follows) && follows !== "" ? "," : "";
  if (place.part === "value") {
    return suggestedValues(schema, place.path).map((value, order) => ({
      ...item(value, order, range),
      kind: languages.CompletionItemKind.Value,
      insertText: value.literal + comma,
    }));
  }
  return suggestedNames(schema, place.path, place.names).map((name, order) => ({
    ...item(name, order, range),
    kind: languages.CompletionItemKind.Property,
    ...(follows === ":"
      ? { insertText: name.literal }
      : {
          insertText: `${escaped(name.literal)}: ${name.opens}$0${escaped(CLOSES[name.opens])}${comma}`,
          insertTextRules: languages.CompletionItemInsertTextRule.InsertAsSnippet,
          ...(name.continues && { command: { id: "editor.action.triggerSuggest", title: "Suggest what follows" } }),
        }),
  }));
}

const CLOSES = { "": "", '"': '"', "{": "}", "[": "]" };

function item(suggestion: Suggestion, order: number, range: Range) {
  return {
    // So a screen reader hears both.
    label: { label: suggestion.literal, description: suggestion.detail },
    documentation: suggestion.description,
    // A text that is closed is written to its end: Enter must not make another one of it.
    filterText: suggestion.literal.replace(/"$/, ""),
    sortText: String(order).padStart(5, "0"),
    range,
  };
}

/** `$`, `}` and `\` mean something in a snippet. */
const escaped = (text: string): string => text.replaceAll(/[$}\\]/g, "\\$&");

function hover(model: editor.ITextModel, position: Position): languages.Hover | null {
  const schema = schemaOf(model);
  if (!schema) return null;
  const place = placeAt(model.getValue(), model.getOffsetAt(position));
  if (place.part === "none" || place.start === place.end) return null;
  const literal = model.getValue().slice(place.start, place.end);
  const lines = hints(schema, place.part === "name" ? [...place.path, nameOf(literal)] : place.path);
  if (lines.length === 0) return null;
  return {
    range: Range.fromPositions(model.getPositionAt(place.start), model.getPositionAt(place.end)),
    contents: lines.map(plain),
  };
}

/** A schema's words are shown as they are written: whoever publishes a definition puts no links before an operator. */
const plain = (text: string): IMarkdownString => ({
  value: text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~&:]/g, "\\$&").replaceAll("\n", "\n\n"),
});
