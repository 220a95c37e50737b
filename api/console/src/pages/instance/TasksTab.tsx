import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { TaskTable } from "../tasks/TaskTable";
import type { TabProps } from "./tabProps";

export function TasksTab({ api, instance }: TabProps) {
  const list = usePages((cursor, signal) => api.tasks({ instance_id: instance.id, cursor }, signal), [instance.id]);
  return (
    <div class="stack">
      <p class="quiet">Keywords and data follow the variables within seconds of a change.</p>
      <PagedList pages={list} empty="This instance has no tasks.">
        {(tasks) => <TaskTable tasks={tasks} />}
      </PagedList>
    </div>
  );
}
