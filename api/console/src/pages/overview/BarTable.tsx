import { Table } from "../../widgets/Table";
import { axisEnd, percentOf } from "./scale";

export interface Bar {
  label: string;
  href: string;
  count: number;
  /** There are more than were counted. */
  more: boolean;
}

/** Counts as a table, with a bar beside each number. */
export function BarTable(props: { caption: string; of: string; bars: readonly Bar[] }) {
  const end = axisEnd(props.bars.map((bar) => bar.count));
  return (
    <Table caption={props.caption} columns={[props.of, "Instances", { hidden: "Bar" }]} class="bar-table">
      {props.bars.map((bar) => (
        <tr key={bar.label}>
          <td class="title">
            <a href={bar.href}>{bar.label}</a>
          </td>
          <td class="number">
            {bar.count.toLocaleString()}
            {bar.more && <span title="There are more than were counted">+</span>}
          </td>
          <td class="bar-cell" aria-hidden="true">
            <span class="bar" style={{ width: `${percentOf(bar.count, end)}%` }} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
