import type { editor as MonacoEditor } from "monaco-editor/editor/editor.api";

// In both palettes every text colour has a contrast of 4.5 or more on its background.
const LIGHT = {
  name: "#0b4f8a",
  string: "#1a6b34",
  number: "#9a3d00",
  word: "#7a2e9d",
  delimiter: "#4a5463",
  mistake: "#b3261e",
  background: "#ffffff",
  line: "#f4f6fa",
  lineNumber: "#6b7585",
  text: "#1c2430",
  inserted: "#1a7f37",
  removed: "#cf222e",
  // How strongly a changed text and its line are tinted: the opacity, in hexadecimal.
  tint: { text: "33", line: "1a" },
};

const DARK: typeof LIGHT = {
  name: "#8cc4ff",
  string: "#8ddb9f",
  number: "#ffb781",
  word: "#d8a8ff",
  delimiter: "#b4bdca",
  mistake: "#ff9d94",
  background: "#151a21",
  line: "#1c232d",
  lineNumber: "#8793a3",
  text: "#e6eaf0",
  inserted: "#3fb950",
  removed: "#f85149",
  tint: { text: "40", line: "20" },
};

/** The console's own colours inside Monaco. */
export function defineThemes(editor: typeof MonacoEditor): void {
  editor.defineTheme("procvars-light", themeOf("vs", LIGHT));
  editor.defineTheme("procvars-dark", themeOf("vs-dark", DARK));
}

function themeOf(base: MonacoEditor.BuiltinTheme, palette: typeof LIGHT): MonacoEditor.IStandaloneThemeData {
  const { text, inserted, removed, tint } = palette;
  return {
    base,
    inherit: true,
    rules: [
      { token: "type", foreground: palette.name },
      { token: "string", foreground: palette.string },
      { token: "string.invalid", foreground: palette.mistake },
      { token: "number", foreground: palette.number },
      { token: "keyword", foreground: palette.word },
      { token: "comment", foreground: palette.mistake },
      { token: "delimiter", foreground: palette.delimiter },
    ],
    colors: {
      "editor.background": palette.background,
      "editor.lineHighlightBackground": palette.line,
      "editorLineNumber.foreground": palette.lineNumber,
      "editorLineNumber.activeForeground": text,
      "scrollbarSlider.background": `${text}26`,
      "scrollbarSlider.hoverBackground": `${text}40`,
      "scrollbarSlider.activeBackground": `${text}59`,
      "diffEditor.insertedTextBackground": inserted + tint.text,
      "diffEditor.removedTextBackground": removed + tint.text,
      "diffEditor.insertedLineBackground": inserted + tint.line,
      "diffEditor.removedLineBackground": removed + tint.line,
    },
  };
}
