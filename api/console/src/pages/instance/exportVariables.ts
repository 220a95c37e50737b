import { explain } from "../../api/words";
import type { Workspace } from "../../api/workspace";
import { announce } from "../../widgets/announce";
import { saveAsFile } from "../../widgets/saveAsFile";

/** Saves the document as a file: the text as the server has it, not as it is shown. */
export async function exportVariables(
  api: Workspace,
  id: string,
  at: { version?: number; at?: string },
): Promise<void> {
  try {
    const { text, name } = await api.download(id, at);
    saveAsFile(text, name, "application/json");
    announce(`Exported ${name}`);
  } catch (reason) {
    announce(explain(reason), "bad");
  }
}
