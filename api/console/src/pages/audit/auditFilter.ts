import { dayStart } from "../instanceQuery";

/** The filters of an audit log, as they stand in the address. */
export interface AuditFilter {
  from: string;
  to: string;
  user: string;
  subject: string;
  event: string;
}

export const NONE: AuditFilter = { from: "", to: "", user: "", subject: "", event: "" };
const NAMES = Object.keys(NONE) as (keyof AuditFilter)[];

export const isEmpty = (filter: AuditFilter): boolean => NAMES.every((name) => filter[name] === "");

export function auditFilterFrom(query: URLSearchParams): AuditFilter {
  const filter = { ...NONE };
  for (const name of NAMES) filter[name] = query.get(name) ?? "";
  return filter;
}

export function queryOfAuditFilter(filter: AuditFilter): string {
  const query = new URLSearchParams(NAMES.filter((name) => filter[name]).map((name) => [name, filter[name]]));
  return query.size === 0 ? "" : `?${query}`;
}

/** The filters as the API takes them: both days are included. */
export const askedOf = (filter: AuditFilter) => ({
  ...filter,
  from: dayStart(filter.from),
  to: dayStart(filter.to, true),
});
