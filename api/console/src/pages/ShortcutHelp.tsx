import { allowSingleKeys, shortcuts, singleKeys } from "../keyboard";
import { Dialog } from "../widgets/Dialog";
import { Table } from "../widgets/Table";

/** Keys of widgets, which have them from the patterns of ARIA or bring them along. */
const ALWAYS: [string, string][] = [
  ["↑ ↓ ← →", "Tree: move, open and close"],
  ["*", "Tree: open everything"],
  ["c", "Tree: copy the path"],
  ["F2", "Tree under edit: edit the value"],
  ["Insert", "Tree under edit: add a member"],
  ["Delete", "Tree under edit: remove it"],
  ["Ctrl+F", "Editor: find in the text"],
  ["Ctrl+M", "Editor: let Tab leave it"],
];

/** What the keyboard does on the page that is shown. */
export function ShortcutHelp({ onClose }: { onClose(): void }) {
  const here = [...new Map(shortcuts.value.map((one) => [one.keys, one.label]))];
  return (
    <Dialog
      title="Keyboard shortcuts"
      onClose={onClose}
      actions={
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      }
    >
      <Table caption="Keyboard shortcuts" columns={["Keys", "What they do"]}>
        {[...here.map(([keys, label]) => [shownKeys(keys), label] as const), ...ALWAYS].map(([keys, label]) => (
          <tr key={keys + label}>
            <td class="title">
              <kbd>{keys}</kbd>
            </td>
            <td>{label}</td>
          </tr>
        ))}
      </Table>
      <label class="check">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => allowSingleKeys(event.currentTarget.checked)}
        />
        Keys without Ctrl or Alt do something too
      </label>
    </Dialog>
  );
}

const shownKeys = (keys: string): string => keys.replace(/\+([a-z])$/, (_, key: string) => `+${key.toUpperCase()}`);
