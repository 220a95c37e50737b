import { useEffect, useState } from "preact/hooks";
import { adopt, config, handOver, hasToken, loadConfig, loadMe, me, workspaces } from "../auth/session";
import { address, go, match, to } from "../router";
import { lazily } from "../widgets/lazily";
import { Loading, Trouble } from "../widgets/small";
import { InstancesPage } from "./InstancesPage";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

// The first page is the list of instances; every other one comes when somebody goes there.
const AuditPage = lazily(async () => (await import("./audit/AuditPage")).AuditPage);
const BulkJobPage = lazily(async () => (await import("./bulk/BulkJobPage")).BulkJobPage);
const BulkListPage = lazily(async () => (await import("./bulk/BulkListPage")).BulkListPage);
const InstancePage = lazily(async () => (await import("./instance/InstancePage")).InstancePage);
const NewBulkPage = lazily(async () => (await import("./bulk/NewBulkPage")).NewBulkPage);
const OverviewPage = lazily(async () => (await import("./overview/OverviewPage")).OverviewPage);
const ProjectionsPage = lazily(async () => (await import("./ProjectionsPage")).ProjectionsPage);
const TasksPage = lazily(async () => (await import("./tasks/TasksPage")).TasksPage);

type Boot = "starting" | "ready" | { failed: unknown };

export function App() {
  const [boot, setBoot] = useState<Boot>("starting");
  useEffect(() => {
    start().then(
      () => setBoot("ready"),
      (failed: unknown) => setBoot({ failed }),
    );
  }, []);
  if (boot === "starting") {
    return (
      <main class="centre">
        <Loading />
      </main>
    );
  }
  if (boot !== "ready") {
    return (
      <main class="centre">
        <h1>procvars</h1>
        <Trouble reason={boot.failed} onRetry={() => location.assign("/")} />
      </main>
    );
  }
  return me.value === null ? <SignIn /> : <Pages />;
}

async function start(): Promise<void> {
  await loadConfig();
  const { path, query } = address.value;
  const settings = config.value?.oidc;
  if (path === "/auth/callback" && settings) {
    const oidc = await import("../auth/oidc");
    const { tokens, returnTo, popup } = await oidc.complete(settings, query);
    if (popup) {
      handOver(tokens);
      close();
      return;
    }
    adopt(tokens);
    await go(returnTo, { replace: true });
  } else if (path === "/auth/again" && settings) {
    return (await import("../auth/oidc")).begin(settings, "/", true);
  }
  if (!hasToken()) return;
  try {
    await loadMe();
  } catch (reason) {
    // An expired token of an earlier visit was dropped on the way: that is a sign-in, not a failure.
    if (hasToken()) throw reason;
  }
}

function Pages() {
  const { path } = address.value;
  const home = workspaces.value[0];
  useEffect(() => {
    if ((path === "/" || path === "/auth/callback") && home) void go(to.instances(home), { replace: true });
  }, [path, home]);
  const list = match("/w/:ws/instances", path);
  const one = match("/w/:ws/instances/:id", path) ?? match("/w/:ws/instances/:id/:tab", path);
  const jobs = match("/w/:ws/bulk-modifications", path);
  const job = match("/w/:ws/bulk-modifications/:id", path);
  const tasks = match("/w/:ws/tasks", path);
  const overview = match("/w/:ws/overview", path);
  const log = match("/w/:ws/audit-log", path);
  let page = <NotFound />;
  if (list) page = <InstancesPage key={list.ws} workspace={list.ws!} />;
  else if (one)
    page = <InstancePage key={`${one.ws}/${one.id}`} workspace={one.ws!} id={one.id!} tab={one.tab ?? "variables"} />;
  else if (jobs) page = <BulkListPage key={jobs.ws} workspace={jobs.ws!} />;
  else if (job?.id === "new") page = <NewBulkPage key={job.ws} workspace={job.ws!} />;
  else if (job) page = <BulkJobPage key={`${job.ws}/${job.id}`} workspace={job.ws!} id={job.id!} />;
  else if (tasks) page = <TasksPage key={tasks.ws} workspace={tasks.ws!} />;
  else if (overview) page = <OverviewPage key={overview.ws} workspace={overview.ws!} />;
  else if (log) page = <AuditPage key={log.ws} workspace={log.ws!} />;
  else if (path === to.projections()) page = <ProjectionsPage />;
  else if (path === "/") page = home ? <Loading /> : <NoWorkspace />;
  return <Shell workspace={(list ?? one ?? jobs ?? job ?? tasks ?? overview ?? log)?.ws ?? null}>{page}</Shell>;
}

const NotFound = () => (
  <div class="centre">
    <h1>Nothing here</h1>
    <p>
      This address leads to no page. <a href="/">Go to the process instances</a>.
    </p>
  </div>
);

const NoWorkspace = () => (
  <div class="centre">
    <h1>No workspace</h1>
    <p>You have no role in any workspace. A workspace administrator can give you one.</p>
  </div>
);
