import { usePages } from "../../widgets/load";
import { Empty, Loading, Pairs, Trouble } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import type { TabProps } from "./InstancePage";

export function TasksTab({ api, instance }: TabProps) {
  const list = usePages((cursor) => api.tasks(instance.id, cursor), [instance.id]);
  return (
    <div class="stack">
      <p class="quiet">Keywords and data follow the variables within seconds of a change.</p>
      {list.error !== undefined && <Trouble reason={list.error} onRetry={list.reload} />}
      {list.items.length > 0 && (
        <Table caption="Tasks" columns={["Task", "Status", "Assignee", "Keywords", "Data", "Metadata"]}>
          {list.items.map((task) => (
            <tr key={task.task_id}>
              <td class="title">
                {task.title}
                <small class="quiet">
                  {task.node ? `${task.node} · ` : ""}
                  <span class="mono">{task.task_id}</span>
                </small>
              </td>
              <td data-label="Status">{task.status}</td>
              <td data-label="Assignee">{task.assignee ?? "–"}</td>
              <td data-label="Keywords">
                <Pairs pairs={task.keywords} />
              </td>
              <td data-label="Data">
                <Pairs pairs={task.data} />
              </td>
              <td data-label="Metadata">
                <Pairs pairs={task.metadata} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {list.loading ? (
        <Loading />
      ) : (
        list.items.length === 0 && list.error === undefined && <Empty>This instance has no tasks.</Empty>
      )}
      {list.more && (
        <button type="button" onClick={list.loadMore}>
          Show more
        </button>
      )}
    </div>
  );
}
