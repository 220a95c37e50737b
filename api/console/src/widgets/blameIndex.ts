import type { Blame } from "../api/types";

/** Who last set each value; an object or list answers with the newest change inside it. */
export class BlameIndex {
  private readonly newest = new Map<string, Blame>();

  constructor(items: readonly Blame[]) {
    for (const item of items) {
      for (let path = item.path; ; path = path.slice(0, path.lastIndexOf("/"))) {
        const known = this.newest.get(path);
        // Everything above was already told of something newer.
        if (known && known.version >= item.version) break;
        this.newest.set(path, item);
        if (path === "") break;
      }
    }
  }

  at(path: string): Blame | null {
    return this.newest.get(path) ?? null;
  }
}
