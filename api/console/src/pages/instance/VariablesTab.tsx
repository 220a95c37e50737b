import { useState } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { STATUS_WORDS } from "../../api/words";
import { may } from "../../auth/session";
import { EditPanel } from "../../editor/EditPanel";
import { preloadMonaco } from "../../editor/lazy";
import { JsonView } from "../../editor/views";
import { pointer, type Tape } from "../../json/tape";
import { tapeOf } from "../../json/work";
import { address, go, to } from "../../router";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad } from "../../widgets/load";
import { Loading, Time, Trouble } from "../../widgets/small";
import { Tree } from "../../widgets/Tree";
import { exportVariables } from "./exportVariables";
import type { TabProps } from "./tabProps";
import { useSaved } from "./useSaved";

type View = "tree" | "json";

/** Read, or edit with `?edit=1`; `?version=` and `?at=` show the document as it was. */
export function VariablesTab(props: TabProps) {
  const { api, instance, canEdit, reload } = props;
  const { query } = address.value;
  const past = pastOf(query);
  const editing = query.has("edit") && canEdit && !past;
  const [view, setView] = useState<View>("tree");
  const [withBlame, setWithBlame] = useState(false);
  const saved = useSaved(props);
  const newest = saved.version ?? 0;
  const fromEngine = editing && instance.engine !== undefined;
  const loaded = useLoad(
    async (signal) => {
      if (canEdit) preloadMonaco();
      // What an engine changed meanwhile is there before anything is edited.
      const refreshed = fromEngine ? (await api.refresh(instance.id, signal)).version : 0;
      const known = Math.max(newest, refreshed);
      // What was just saved is read from the event store: the read model may be a moment behind.
      const at = past ?? (known > instance.version ? { version: known } : {});
      const document = await api.variables(instance.id, at, signal);
      return { ...document, tape: await tapeOf(document.text), upToDate: fromEngine };
    },
    // While an engine's instance is edited, only the editor asks for newer values.
    [instance.id, fromEngine ? "edit" : Math.max(instance.version, newest), past?.version, past?.at],
  );
  const blame = useLoad(
    () => (withBlame && !past ? api.blame(instance.id) : Promise.resolve(null)),
    [withBlame, instance.id, loaded.value?.version, past !== null],
  );
  const page = (search = "") => to.instance(api.name, instance.id, "variables", search);
  const document = loaded.value;

  if (fromEngine && loaded.loading && !document?.upToDate) return <Loading what="Bringing the values up to date" />;
  if (!document || (fromEngine && !document.upToDate)) return <LoadStatus of={loaded} />;
  if (editing) {
    return (
      <EditPanel
        api={api}
        instance={instance}
        document={document}
        at={query.get("path") ?? undefined}
        onClose={(outcome) => {
          if (outcome) saved.record(outcome);
          void go(page(), { replace: true });
        }}
        onReload={() => {
          reload();
          loaded.reload();
        }}
      />
    );
  }
  return (
    <div class="variables">
      {!past && saved.panel}
      {past && (
        <div class="notice info">
          <p>
            These are the variables as they were at version {document.version}
            {past.at && (
              <>
                , on <Time value={past.at} />
              </>
            )}
            . They cannot be edited here.
          </p>
          <a class="button" href={page()}>
            Back to the current values
          </a>
        </div>
      )}
      {query.has("edit") && !editing && !past && <WhyNot workspace={api.name} status={instance.status} />}
      <div class="toolbar">
        <label class="inline">
          <span class="visually-hidden">View</span>
          <select aria-label="View" value={view} onChange={(event) => setView(event.currentTarget.value as View)}>
            <option value="tree">Tree view</option>
            <option value="json">JSON view</option>
          </select>
        </label>
        <button type="button" onClick={() => void exportVariables(api, instance.id, past ?? {})}>
          Export
        </button>
        {view === "tree" && !past && (
          <label class="check inline">
            <input
              type="checkbox"
              checked={withBlame}
              onChange={(event) => setWithBlame(event.currentTarget.checked)}
            />
            Show who changed what
          </label>
        )}
        <span class="spring" />
        <span class="quiet">Version {document.version}</span>
        {canEdit && !past && (
          <button type="button" class="primary" onClick={() => void go(page("?edit=1"))}>
            Modify variables
          </button>
        )}
      </div>
      {blame.error !== undefined && withBlame && <Trouble reason={blame.error} onRetry={blame.reload} />}
      {view === "tree" ? (
        <Tree
          tape={document.tape}
          blame={withBlame ? (blame.value ?? null) : null}
          label="Process variables"
          actions={
            canEdit && !past
              ? (node) => (
                  <button type="button" onClick={() => void go(page(`?edit=1&path=${pathOf(document.tape, node)}`))}>
                    Edit here
                  </button>
                )
              : undefined
          }
        />
      ) : (
        <JsonView text={document.text} label="Process variables, read only" />
      )}
    </div>
  );
}

const pathOf = (tape: Tape, node: number): string => encodeURIComponent(pointer(tape, node));

function pastOf(query: URLSearchParams): { version?: number; at?: string } | null {
  const version = Number(query.get("version"));
  if (Number.isInteger(version) && version > 0) return { version };
  const at = query.get("at");
  return at ? { at } : null;
}

function WhyNot({ workspace, status }: { workspace: string; status: keyof typeof STATUS_WORDS }) {
  const permitted = may(PERMISSION.edit, workspace);
  return (
    <p class="notice warn">
      {permitted
        ? `This instance is ${STATUS_WORDS[status]}. Only instances that are Started or On Hold can be modified.`
        : `You can view these variables but not modify them. That needs the permission process_variables_edit; a workspace administrator can give it.`}
    </p>
  );
}
