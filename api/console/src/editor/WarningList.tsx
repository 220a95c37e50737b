import type { Warning } from "../api/types";
import { explainWarning } from "../api/words";

export function WarningList({ warnings }: { warnings: readonly Warning[] }) {
  return (
    <ul class="warnings" aria-label="Warnings">
      {warnings.map((warning) => {
        const { title, text, subjects } = explainWarning(warning);
        return (
          <li key={warning.code} class="notice warn">
            <strong>{title}.</strong> {text}
            {subjects.length > 0 && <span class="mono subjects">{subjects.join(", ")}</span>}
          </li>
        );
      })}
    </ul>
  );
}
