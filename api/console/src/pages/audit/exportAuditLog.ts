import { explain } from "../../api/words";
import type { AuditQuery, Workspace } from "../../api/workspace";
import { announce } from "../../widgets/announce";
import { saveAsFile } from "../../widgets/saveAsFile";
import { recordsOf } from "./csv";

/** As many entries as a browser holds with ease; the server's own limit of a file. */
const MOST = 100_000;
/** Tells spreadsheet programs that the text is UTF-8. */
const BYTE_ORDER_MARK = "\ufeff";

/** Saves the entries that fit the filters as a CSV file, and says so if there are more than it holds. */
export async function exportAuditLog(api: Workspace, query: AuditQuery): Promise<void> {
  try {
    const text = await api.auditCsv(query, MOST);
    const entries = recordsOf(text) - 1;
    saveAsFile(BYTE_ORDER_MARK + text, `audit-log-${api.name}.csv`, "text/csv");
    if (entries < MOST) announce(`Exported ${entries} ${entries === 1 ? "entry" : "entries"}`);
    else announce(`Exported the newest ${MOST} entries. Filter by days for the others.`, "bad");
  } catch (reason) {
    announce(explain(reason), "bad");
  }
}
