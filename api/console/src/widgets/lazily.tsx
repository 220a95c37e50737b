import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Loading, Trouble } from "./small";

/** A component whose code is a chunk of its own, fetched when it is first shown. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): (props: P) => preact.JSX.Element {
  let fetched: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, setShown] = useState(fetched !== null);
    const [error, setError] = useState<unknown>(undefined);
    useEffect(() => {
      if (fetched) return;
      load().then((component) => {
        fetched = component;
        setShown(true);
      }, setError);
    }, []);
    // A chunk of an earlier build may be gone: the page that is loaded again names those of the new one.
    if (error !== undefined) return <Trouble reason={new Error(UNLOADED)} onRetry={() => location.reload()} />;
    const Component = fetched;
    return Component ? <Component {...props} /> : <Loading />;
  };
}

const UNLOADED = "This part of the console cannot be loaded. The server may be away, or have a newer version of it.";
