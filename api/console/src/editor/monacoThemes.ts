import type { editor as MonacoEditor } from "monaco-editor/editor/editor.api";

/** The console's own colours inside Monaco; every text colour has a contrast of 4.5 or more on its background. */
export function defineThemes(editor: typeof MonacoEditor): void {
  editor.defineTheme("procvars-light", {
    base: "vs",
    inherit: true,
    rules: [
      { token: "type", foreground: "0b4f8a" },
      { token: "string", foreground: "1a6b34" },
      { token: "string.invalid", foreground: "b3261e" },
      { token: "number", foreground: "9a3d00" },
      { token: "keyword", foreground: "7a2e9d" },
      { token: "comment", foreground: "b3261e" },
      { token: "delimiter", foreground: "4a5463" },
    ],
    colors: {
      "editor.background": "#ffffff",
      "editor.lineHighlightBackground": "#f4f6fa",
      "editorLineNumber.foreground": "#6b7585",
      "editorLineNumber.activeForeground": "#1c2430",
      "scrollbarSlider.background": "#1c243026",
      "scrollbarSlider.hoverBackground": "#1c243040",
      "scrollbarSlider.activeBackground": "#1c243059",
      "diffEditor.insertedTextBackground": "#1a7f3733",
      "diffEditor.removedTextBackground": "#cf222e33",
      "diffEditor.insertedLineBackground": "#1a7f371a",
      "diffEditor.removedLineBackground": "#cf222e1a",
    },
  });
  editor.defineTheme("procvars-dark", {
    base: "vs-dark",
    inherit: true,
    rules: [
      { token: "type", foreground: "8cc4ff" },
      { token: "string", foreground: "8ddb9f" },
      { token: "string.invalid", foreground: "ff9d94" },
      { token: "number", foreground: "ffb781" },
      { token: "keyword", foreground: "d8a8ff" },
      { token: "comment", foreground: "ff9d94" },
      { token: "delimiter", foreground: "b4bdca" },
    ],
    colors: {
      "editor.background": "#151a21",
      "editor.lineHighlightBackground": "#1c232d",
      "editorLineNumber.foreground": "#8793a3",
      "editorLineNumber.activeForeground": "#e6eaf0",
      "scrollbarSlider.background": "#e6eaf026",
      "scrollbarSlider.hoverBackground": "#e6eaf040",
      "scrollbarSlider.activeBackground": "#e6eaf059",
      "diffEditor.insertedTextBackground": "#3fb95040",
      "diffEditor.removedTextBackground": "#f8514940",
      "diffEditor.insertedLineBackground": "#3fb95020",
      "diffEditor.removedLineBackground": "#f8514920",
    },
  });
}
