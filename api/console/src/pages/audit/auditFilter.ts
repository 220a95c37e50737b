import { type TextFilter, textFilter } from "../addressFilter";
import { dayStart } from "../instanceQuery";

export const auditFilter = textFilter(["from", "to", "user", "subject", "event"]);
export type AuditFilter = TextFilter<"from" | "to" | "user" | "subject" | "event">;

/** The filters as the API takes them: both days are included. */
export const askedOf = (filter: AuditFilter) => ({
  ...filter,
  from: dayStart(filter.from),
  to: dayStart(filter.to, true),
});
