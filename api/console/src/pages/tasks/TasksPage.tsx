import { useEffect } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { may, workspaceApi } from "../../auth/session";
import { address, go, to } from "../../router";
import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { TaskFilters, taskFilter } from "./TaskFilters";
import { TaskTable } from "./TaskTable";

/** The tasks of a workspace, as the Task Manager finds them. The address holds the filters. */
export function TasksPage({ workspace }: { workspace: string }) {
  useEffect(() => {
    document.title = "Tasks · procvars";
  }, []);
  return (
    <div class="page">
      {may(PERMISSION.tasks, workspace) ? (
        <List workspace={workspace} />
      ) : (
        <>
          <h1>Tasks</h1>
          <p class="notice warn">This page needs the permission {PERMISSION.tasks}.</p>
        </>
      )}
    </div>
  );
}

function List({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const filter = taskFilter.from(address.value.query);
  const list = usePages(
    (cursor, signal) => api.tasks({ ...filter, cursor }, signal),
    [workspace, JSON.stringify(filter)],
  );
  return (
    <>
      <div class="page-head">
        <h1>Tasks</h1>
        <button type="button" onClick={list.reload}>
          Refresh
        </button>
      </div>
      <TaskFilters
        filter={filter}
        keys={[...new Set(list.items.flatMap((task) => task.keywords.map(([key]) => key)))].sort()}
        onChange={(next) => void go(to.tasks(workspace) + taskFilter.query(next), { replace: true })}
      />
      <PagedList
        pages={list}
        empty={taskFilter.isEmpty(filter) ? "There are no tasks yet." : "No task fits these filters."}
      >
        {(tasks) => <TaskTable tasks={tasks} workspace={workspace} />}
      </PagedList>
    </>
  );
}
