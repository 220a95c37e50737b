import { beforeAll, expect, it, vi } from "vitest";

type Keyboard = typeof import("./keyboard");
let keyboard: Keyboard;

beforeAll(async () => {
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
  keyboard = await import("./keyboard");
});

const event = (key: string, also: Partial<KeyboardEvent> = {}) => ({
  key,
  code: "",
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...also,
});
const shortcut = (keys: string, label = keys) => ({ keys, label, act: () => undefined });

it("names keys alike whatever the keyboard types with Alt, and the command key as Ctrl", () => {
  expect(keyboard.keysOf(event("E"))).toBe("e");
  expect(keyboard.keysOf(event("?"))).toBe("?");
  expect(keyboard.keysOf(event("ç", { code: "KeyC", altKey: true }))).toBe("Alt+c");
  expect(keyboard.keysOf(event("s", { metaKey: true }))).toBe("Ctrl+s");
});

it("does nothing for a key alone while somebody types, or where such keys are turned off", () => {
  const known = [shortcut("e"), shortcut("Ctrl+s")];
  const free = { typing: false, singleKeysAllowed: true };
  expect(keyboard.shortcutFor("e", known, free)?.keys).toBe("e");
  expect(keyboard.shortcutFor("e", known, { ...free, typing: true })).toBeUndefined();
  expect(keyboard.shortcutFor("e", known, { ...free, singleKeysAllowed: false })).toBeUndefined();
  expect(keyboard.shortcutFor("Ctrl+s", known, { typing: true, singleKeysAllowed: false })?.keys).toBe("Ctrl+s");
});

it("prefers what was shown last", () => {
  const known = [shortcut("/", "the list"), shortcut("/", "the tree")];
  expect(keyboard.shortcutFor("/", known, { typing: false, singleKeysAllowed: true })?.label).toBe("the tree");
  expect(keyboard.shortcutFor("x", known, { typing: false, singleKeysAllowed: true })).toBeUndefined();
});
