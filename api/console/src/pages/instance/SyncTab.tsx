import { PERMISSION } from "../../api/types";
import { may } from "../../auth/session";
import { SyncList, useSync } from "../../editor/SyncList";
import { to } from "../../router";
import { Loading, Trouble } from "../../widgets/small";
import type { TabProps } from "./tabProps";

export function SyncTab({ api, instance }: TabProps) {
  const { sync, error } = useSync(api, instance.id, { forever: true });
  return (
    <div class="stack">
      <p class="quiet">
        A change is kept at once; the read models follow it on their own, usually within seconds. None of them can hold
        up or lose a change.
      </p>
      {error !== undefined && <Trouble reason={error} />}
      {sync ? <SyncList sync={sync} target={sync.version} /> : error === undefined && <Loading />}
      {may(PERMISSION.projections) && (
        <p>
          <a href={to.projections()}>All projections</a>: pause, resume, rebuild, and try parked streams again.
        </p>
      )}
    </div>
  );
}
