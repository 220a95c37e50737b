import type { Operation } from "../api/types";
import { Path, Value } from "./small";

const VERB = { add: "+", remove: "−", replace: "~", move: "→", copy: "⧉", test: "?" } as const;

/** The first operations of a patch: where, and the new value. */
export function OperationList({ operations, first = 6 }: { operations: readonly Operation[]; first?: number }) {
  return (
    <ul class="glance">
      {operations.slice(0, first).map((operation, at) => (
        <li key={at}>
          <span aria-hidden="true">{VERB[operation.op]}</span> <span class="visually-hidden">{operation.op}</span>
          <Path pointer={operation.path} />{" "}
          {operation.value !== undefined && (
            <Value literal={operation.value.length > 80 ? `${operation.value.slice(0, 80)}…` : operation.value} />
          )}
        </li>
      ))}
      {operations.length > first && <li class="quiet">and {operations.length - first} more</li>}
    </ul>
  );
}
