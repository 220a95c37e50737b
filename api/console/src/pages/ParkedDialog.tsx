import { useState } from "preact/hooks";
import { organisation } from "../auth/session";
import { announce } from "../widgets/announce";
import { Dialog } from "../widgets/Dialog";
import { LoadStatus } from "../widgets/LoadStatus";
import { useLoad } from "../widgets/load";
import { Empty, Time, Trouble } from "../widgets/small";

/** Streams whose event could not be applied, and another try. */
export function ParkedDialog(props: { name: string; title: string; onClose(): void; onChanged(): void }) {
  const list = useLoad(() => organisation.parked(props.name), [props.name]);
  const [failed, setFailed] = useState<unknown>(undefined);
  const retry = async (instance: string) => {
    setFailed(undefined);
    try {
      if (await organisation.retry(props.name, instance)) announce("Tried again: it follows the events now.");
      else setFailed(new Error("It failed again and stays parked; the error below is the newest."));
    } catch (reason) {
      setFailed(reason);
    }
    list.reload();
    props.onChanged();
  };
  return (
    <Dialog
      title={`Parked streams of ${props.title}`}
      wide
      onClose={props.onClose}
      actions={
        <button type="button" class="primary" onClick={props.onClose}>
          Close
        </button>
      }
    >
      <p class="quiet">
        An event of these instances could not be applied; it and the later ones wait. All others go on.
      </p>
      {failed !== undefined && <Trouble reason={failed} />}
      <LoadStatus of={list} />
      {list.value?.length === 0 && <Empty>Nothing is parked.</Empty>}
      <ul class="parked">
        {list.value?.map((one) => (
          <li key={one.instance_id}>
            <div>
              <strong class="mono">{one.instance_id}</strong>{" "}
              <span class="quiet">
                version {one.version}, since <Time value={one.since} />
              </span>
              <p class="mono">{one.error}</p>
            </div>
            <button
              type="button"
              aria-label={`Try ${one.instance_id} again`}
              onClick={() => void retry(one.instance_id)}
            >
              Try again
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
