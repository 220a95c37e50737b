/**
 * The part of Monaco the console needs, and nothing else: the editor, the diff editor, find, folding, brackets.
 * Loaded with `import()` when an editor is opened; never import it from a page.
 */
import "monaco-editor/features/codeEditor/register";
import "monaco-editor/features/diffEditor/register";
import "monaco-editor/features/bracketMatching/register";
import "monaco-editor/features/caretOperations/register";
import "monaco-editor/features/clipboard/register";
import "monaco-editor/features/contextmenu/register";
import "monaco-editor/features/cursorUndo/register";
import "monaco-editor/features/find/register";
import "monaco-editor/features/folding/register";
import "monaco-editor/features/gotoError/register";
import "monaco-editor/features/gotoLine/register";
import "monaco-editor/features/hover/register";
import "monaco-editor/features/indentation/register";
import "monaco-editor/features/lineSelection/register";
import "monaco-editor/features/linesOperations/register";
import "monaco-editor/features/longLinesHelper/register";
import "monaco-editor/features/multicursor/register";
import "monaco-editor/features/readOnlyMessage/register";
import "monaco-editor/features/snippet/register";
import "monaco-editor/features/toggleTabFocusMode/register";
import "monaco-editor/features/unicodeHighlighter/register";
import "monaco-editor/features/wordOperations/register";
// Monaco's feature "suggest" has only the inline suggestions; the list of them is here.
import "monaco-editor/editor/contrib/suggest/browser/suggestController";
import { editor, languages, MarkerSeverity, Range } from "monaco-editor/editor/editor.api";
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import type { Problem } from "../json/problems";
import type { TextEdit } from "../json/textEdits";
import { defineThemes } from "./monacoThemes";
import { provideSchemaHints } from "./schemaHints";

self.MonacoEnvironment = { getWorker: () => new EditorWorker() };

const LANGUAGE = "json";
/** From this size on the editor leaves out what costs time on every key. */
const LARGE = 1_000_000;

languages.register({ id: LANGUAGE });
languages.setLanguageConfiguration(LANGUAGE, {
  brackets: [
    ["{", "}"],
    ["[", "]"],
  ],
  indentationRules: { increaseIndentPattern: /[[{]\s*$/, decreaseIndentPattern: /^\s*[\]}]/ },
  // A suggestion replaces a text with its quotes.
  wordPattern: /"(?:[^"\\]|\\.)*"?|[^\s{}[\],:"]+/,
});
languages.setMonarchTokensProvider(LANGUAGE, {
  tokenizer: {
    root: [
      [/"(?:[^"\\]|\\.)*"(?=\s*:)/, "type"],
      [/"(?:[^"\\]|\\.)*"/, "string"],
      [/"(?:[^"\\]|\\.)*$/, "string.invalid"],
      [/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/, "number"],
      [/\b(?:true|false|null)\b/, "keyword"],
      [/[{}[\]]/, "@brackets"],
      [/[,:]/, "delimiter"],
      [/\/\/.*$/, "comment"],
    ],
  },
});
defineThemes(editor);
provideSchemaHints(LANGUAGE);

export { setSchema } from "./schemaHints";
export type Model = editor.ITextModel;
export type CodeEditor = editor.IStandaloneCodeEditor;
export type DiffEditor = editor.IStandaloneDiffEditor;

function options(size: number): editor.IEditorOptions & editor.IGlobalEditorOptions {
  const large = size > LARGE;
  return {
    theme: document.documentElement.dataset.theme === "dark" ? "procvars-dark" : "procvars-light",
    automaticLayout: true,
    fontFamily: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
    fontSize: 13,
    lineHeight: 20,
    minimap: { enabled: false },
    scrollBeyondLastLine: false,
    renderWhitespace: "none",
    wordWrap: large ? "off" : "on",
    folding: !large,
    largeFileOptimizations: true,
    bracketPairColorization: { enabled: false },
    matchBrackets: large ? "never" : "always",
    occurrencesHighlight: "off",
    selectionHighlight: !large,
    // These two would rewrite or hide characters that are data here.
    unusualLineTerminators: "off",
    unicodeHighlight: { ambiguousCharacters: false, nonBasicASCII: false, invisibleCharacters: !large },
    fixedOverflowWidgets: true,
    // By a schema only. With the language's words, which have quotes, this is also what opens the list at a quote.
    quickSuggestions: { other: true, strings: true, comments: false },
    wordBasedSuggestions: "off",
    acceptSuggestionOnCommitCharacter: false,
    acceptSuggestionOnEnter: "smart",
    // What a person types is what is in the document, nothing more.
    autoClosingBrackets: "never",
    autoClosingQuotes: "never",
    autoSurround: "never",
    padding: { top: 8, bottom: 8 },
    stickyScroll: { enabled: false },
    links: false,
    contextmenu: true,
    accessibilitySupport: "auto",
  };
}

export function newModel(text: string): Model {
  const model = editor.createModel(text, LANGUAGE);
  model.updateOptions({ tabSize: 2, insertSpaces: true });
  return model;
}

export function newEditor(host: HTMLElement, model: Model, how: { readOnly: boolean; label: string }): CodeEditor {
  return editor.create(host, {
    ...options(model.getValueLength()),
    model,
    readOnly: how.readOnly,
    domReadOnly: how.readOnly,
    ariaLabel: how.label,
  });
}

export function newDiffEditor(host: HTMLElement, original: Model, modified: Model, readOnly: boolean): DiffEditor {
  const size = Math.max(original.getValueLength(), modified.getValueLength());
  const diff = editor.createDiffEditor(host, {
    ...options(size),
    originalEditable: false,
    renderOverviewRuler: false,
    readOnly,
    renderSideBySide: true,
    useInlineViewWhenSpaceIsLimited: true,
    renderSideBySideInlineBreakpoint: 700,
    ignoreTrimWhitespace: false,
    hideUnchangedRegions: { enabled: true, contextLineCount: 4, minimumLineCount: 6 },
    maxComputationTime: 10_000,
  });
  diff.setModel({ original, modified });
  keepLabel(diff.getOriginalEditor(), "Original variables");
  keepLabel(diff.getModifiedEditor(), "Modified variables");
  return diff;
}

/** The diff editor drops its editors' labels whenever it is laid out anew. */
function keepLabel(inner: editor.ICodeEditor, ariaLabel: string): void {
  const label = () => {
    if (inner.getRawOptions().ariaLabel !== ariaLabel) inner.updateOptions({ ariaLabel });
  };
  inner.onDidChangeConfiguration(label);
  label();
}

export function showProblems(model: Model, problems: readonly Problem[]): void {
  const text = problems.length > 0 ? model.getValue() : "";
  const markers = problems.map((problem) => {
    // What is missing at the end of a line is marked at the line's last character.
    const atLineEnd = /^(\r?\n|$)/.test(text.slice(problem.offset, problem.offset + 2));
    const from = model.getPositionAt(atLineEnd ? Math.max(0, problem.offset - 1) : problem.offset);
    const to = model.getPositionAt(problem.offset + problem.length);
    return {
      severity: MarkerSeverity.Error,
      message: problem.message,
      startLineNumber: from.lineNumber,
      startColumn: from.column,
      endLineNumber: to.lineNumber,
      endColumn: to.column,
    };
  });
  editor.setModelMarkers(model, "json", markers);
}

export function setTheme(dark: boolean): void {
  editor.setTheme(dark ? "procvars-dark" : "procvars-light");
}

/** Replaces a part of the text as one step that can be undone. */
export function replaceRange(model: Model, { offset, length, text }: TextEdit): void {
  const range = Range.fromPositions(model.getPositionAt(offset), model.getPositionAt(offset + length));
  model.pushStackElement();
  model.pushEditOperations([], [{ range, text }], () => null);
  model.pushStackElement();
}

/** Replaces the whole text as one step that can be undone. */
export function replaceText(model: Model, text: string): void {
  model.pushStackElement();
  model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
  model.pushStackElement();
}
