import type { RecentModifications } from "../../api/types";
import { Table } from "../../widgets/Table";
import { axisEnd, percentOf } from "./scale";

// A day without a time is the same day everywhere.
const SHORT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });

/** A column for each day, and the same as a table for whoever reads numbers. */
export function DayChart({ days }: { days: RecentModifications["days"] }) {
  const end = axisEnd(days.map((one) => one.modifications));
  const total = days.reduce((sum, one) => sum + one.modifications, 0);
  return (
    <>
      <div
        class="day-chart"
        role="img"
        aria-label={`${total} modifications in ${days.length} days; the table has each day`}
      >
        <span class="axis-end">{end.toLocaleString()}</span>
        {days.map(({ day, modifications }) => (
          <div key={day} class="day" title={`${LONG.format(new Date(day))}: ${modifications}`}>
            <span class="day-column">
              <span class="bar" style={{ height: `${percentOf(modifications, end)}%` }} />
            </span>
            <span class="day-label">{SHORT.format(new Date(day))}</span>
          </div>
        ))}
      </div>
      <details>
        <summary>As a table</summary>
        <Table caption="Modifications by day" columns={["Day", "Modifications"]}>
          {days.map(({ day, modifications }) => (
            <tr key={day}>
              <td class="title">{LONG.format(new Date(day))}</td>
              <td data-label="Modifications">{modifications.toLocaleString()}</td>
            </tr>
          ))}
        </Table>
      </details>
    </>
  );
}
