import { explain } from "../../api/words";
import type { Workspace } from "../../api/workspace";
import { announce } from "../../widgets/announce";

/** Saves the document as a file: the text as the server has it, not as it is shown. */
export async function exportVariables(
  api: Workspace,
  id: string,
  at: { version?: number; at?: string },
): Promise<void> {
  try {
    const { text, name } = await api.download(id, at);
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    announce(`Exported ${name}`);
  } catch (reason) {
    announce(explain(reason), "bad");
  }
}
