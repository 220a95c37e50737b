/** Counts the records of a CSV text (RFC 4180): a line's end within quotes belongs to a value. */
export function recordsOf(text: string): number {
  let records = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === "\n" && !quoted) records++;
  }
  return records;
}
