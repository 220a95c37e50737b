import type { Loaded } from "./load";
import { Loading, Trouble } from "./small";

/** That a load went wrong, or that its first value is on the way. */
export function LoadStatus({ of }: { of: Loaded<unknown> }) {
  return (
    <>
      {of.error !== undefined && <Trouble reason={of.error} onRetry={of.reload} />}
      {of.value === undefined && of.loading && <Loading />}
    </>
  );
}
