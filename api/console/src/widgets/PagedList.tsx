import type { ComponentChildren } from "preact";
import type { Pages } from "./load";
import { Empty, Loading, Trouble } from "./small";

/** Pages of a list under each other: the items so far, what became of the newest page, and the way to the next. */
export function PagedList<T>(props: {
  pages: Pages<T>;
  /** Said where there are no items at all. */
  empty: string;
  /** Draws the items; asked only where there are some. */
  children(items: T[]): ComponentChildren;
}) {
  const { items, more, loading, error, loadMore, reload } = props.pages;
  const none = items.length === 0;
  return (
    <>
      {error !== undefined && <Trouble reason={error} onRetry={reload} />}
      {!none && props.children(items)}
      {loading ? <Loading /> : none && error === undefined && !more && <Empty>{props.empty}</Empty>}
      {more && (
        <button type="button" onClick={loadMore}>
          Show more
        </button>
      )}
    </>
  );
}
