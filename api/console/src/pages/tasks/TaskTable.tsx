import type { Task } from "../../api/types";
import { TASK_STATUS_WORDS } from "../../api/words";
import { to } from "../../router";
import { Pairs } from "../../widgets/small";
import { Table } from "../../widgets/Table";

const COLUMNS = ["Status", "Assignee", "Keywords", "Data"];

/** Tasks with what they take from the variables. With the name of a workspace, their instances are links. */
export function TaskTable({ tasks, workspace }: { tasks: readonly Task[]; workspace?: string }) {
  // Few engines send any.
  const withMetadata = tasks.some((task) => task.metadata.length > 0);
  const columns = ["Task", ...(workspace === undefined ? [] : ["Instance"]), ...COLUMNS];
  if (withMetadata) columns.push("Metadata");
  return (
    <Table caption="Tasks" columns={columns}>
      {tasks.map((task) => (
        <tr key={`${task.instance_id} ${task.task_id}`}>
          <td class="title">
            {task.title}
            <small class="quiet">
              {task.node ? `${task.node} · ` : ""}
              <span class="mono">{task.task_id}</span>
            </small>
          </td>
          {workspace !== undefined && (
            <td data-label="Instance" class="mono">
              <a href={to.instance(workspace, task.instance_id, "tasks")}>{task.instance_id}</a>
            </td>
          )}
          <td data-label="Status">{TASK_STATUS_WORDS[task.status] ?? task.status}</td>
          <td data-label="Assignee">{task.assignee ?? "–"}</td>
          <td data-label="Keywords">
            <Pairs pairs={task.keywords} />
          </td>
          <td data-label="Data">
            <Pairs pairs={task.data} />
          </td>
          {withMetadata && (
            <td data-label="Metadata">
              <Pairs pairs={task.metadata} />
            </td>
          )}
        </tr>
      ))}
    </Table>
  );
}
