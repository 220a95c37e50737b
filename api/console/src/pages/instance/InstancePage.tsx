import { useEffect } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { may, workspaceApi } from "../../auth/session";
import { useShortcut } from "../../keyboard";
import { address, go, to } from "../../router";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad } from "../../widgets/load";
import { Menu } from "../../widgets/Menu";
import { Fact, StatusBadge, Time } from "../../widgets/small";
import { modifiable } from "../InstanceTable";
import { nameOf } from "../instanceQuery";
import { AuditTab } from "./AuditTab";
import { EnginePanel } from "./EnginePanel";
import { exportVariables } from "./exportVariables";
import { HistoryTab } from "./HistoryTab";
import { SnapshotsTab } from "./SnapshotsTab";
import { SubprocessesTab } from "./SubprocessesTab";
import { SyncTab } from "./SyncTab";
import { TasksTab } from "./TasksTab";
import { VariablesTab } from "./VariablesTab";

const TABS = [
  { slug: "variables", label: "Variables", show: VariablesTab },
  { slug: "subprocesses", label: "Subprocesses", show: SubprocessesTab },
  { slug: "tasks", label: "Tasks", show: TasksTab, needs: PERMISSION.tasks },
  { slug: "snapshots", label: "Snapshots", show: SnapshotsTab },
  { slug: "history", label: "History", show: HistoryTab },
  { slug: "audit-log", label: "Audit Log", show: AuditTab, needs: PERMISSION.audit },
  { slug: "sync", label: "Sync", show: SyncTab },
] as const;

export function InstancePage({ workspace, id, tab }: { workspace: string; id: string; tab: string }) {
  const api = workspaceApi(workspace);
  const loaded = useLoad((signal) => api.instance(id, signal), [workspace, id]);
  const definitions = useLoad(() => api.definitions(), [workspace]);
  const instance = loaded.value;
  const tabs = TABS.filter((one) => !("needs" in one) || may(one.needs, workspace));
  const current = tabs.find((one) => one.slug === tab) ?? tabs[0]!;
  useEffect(() => {
    document.title = `${instance?.title || id} · ${current.label} · procvars`;
  }, [instance, id, current.label]);
  const canEdit = instance !== undefined && modifiable(workspace, instance);
  const edit = to.instance(workspace, id, "variables", "?edit=1");
  const editing = current.slug === "variables" && address.value.query.has("edit");
  useShortcut("e", "Modify the variables of this instance", canEdit && !editing ? () => void go(edit) : null);
  if (!instance) {
    return (
      <div class="page">
        <LoadStatus of={loaded} />
        <p>
          <a href={to.instances(workspace)}>All process instances</a>
        </p>
      </div>
    );
  }
  const items = [{ label: "Export", onSelect: () => void exportVariables(api, id, {}) }];
  if (canEdit) items.unshift({ label: "Modify variables", onSelect: () => void go(edit) });
  const Current = current.show;
  return (
    <div class="page instance">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={to.instances(workspace)}>Process instances</a> <span aria-hidden="true">/</span>{" "}
        <span>{nameOf(definitions.value ?? [], instance.definition)}</span>
      </nav>
      <div class="page-head">
        <div class="instance-title">
          <h1>{instance.title || instance.id}</h1> <StatusBadge status={instance.status} />
        </div>
        <Menu label="More actions" items={items}>
          <span aria-hidden="true">⋮</span>
        </Menu>
      </div>
      <dl class="facts">
        <Fact name="Instance" class="mono">
          {instance.id}
        </Fact>
        <Fact name="Started">
          <Time value={instance.started_at} />
        </Fact>
        <Fact name="Updated">
          <Time value={instance.updated_at} />
        </Fact>
        <Fact name="Version">{instance.version}</Fact>
        {instance.engine && <Fact name="Process engine">{instance.engine.name}</Fact>}
        {instance.parent_id && (
          <Fact name="Parent">
            <a class="mono" href={to.instance(workspace, instance.parent_id)}>
              {instance.parent_id}
            </a>
          </Fact>
        )}
      </dl>
      {instance.engine && <EnginePanel api={api} instance={instance} canEdit={canEdit} reload={loaded.reload} />}
      <Tabs workspace={workspace} id={id} tabs={tabs} current={current.slug} />
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${current.slug}`}>
        <Current key={current.slug} api={api} instance={instance} canEdit={canEdit} reload={loaded.reload} />
      </div>
    </div>
  );
}

function Tabs(props: {
  workspace: string;
  id: string;
  tabs: readonly { slug: string; label: string }[];
  current: string;
}) {
  const open = (slug: string) => {
    void go(to.instance(props.workspace, props.id, slug)).then(() => document.getElementById(`tab-${slug}`)?.focus());
  };
  // On a phone the row of tabs is wider than the screen.
  useEffect(
    () => document.getElementById(`tab-${props.current}`)?.scrollIntoView({ block: "nearest" }),
    [props.current],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const at = props.tabs.findIndex((one) => one.slug === props.current);
    const last = props.tabs.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    open(props.tabs[next]!.slug);
  };
  return (
    <div class="tabs" role="tablist" aria-label="About this instance" onKeyDown={onKeyDown} tabIndex={-1}>
      {props.tabs.map((one) => {
        const chosen = one.slug === props.current;
        return (
          <button
            key={one.slug}
            type="button"
            role="tab"
            id={`tab-${one.slug}`}
            aria-selected={chosen}
            aria-controls={chosen ? "tab-panel" : undefined}
            tabIndex={chosen ? 0 : -1}
            onClick={() => (chosen && address.value.query.size === 0 ? undefined : open(one.slug))}
          >
            {one.label}
          </button>
        );
      })}
    </div>
  );
}
