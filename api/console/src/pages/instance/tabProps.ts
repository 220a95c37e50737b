import type { Instance } from "../../api/types";
import type { Workspace } from "../../api/workspace";

/** What every tab of an instance's page is given. */
export interface TabProps {
  api: Workspace;
  instance: Instance;
  /** May this person modify this instance, in the state it is in now? */
  canEdit: boolean;
  reload(): void;
}
