// A client's program, which is compiled against the types that openapi-typescript makes of the served document.
import type { components, operations, paths } from "./generated/api.js";

type Schemas = components["schemas"];
type Answer<Operation extends keyof operations, Status extends keyof operations[Operation]["responses"]> =
  operations[Operation]["responses"][Status] extends { content: { "application/json": infer Content } } ? Content : never;

const listing: keyof paths = "/api/v1/workspaces/{workspace}/instances";

export async function correct(server: string, authorization: string): Promise<Schemas["Edit"]> {
  const found = await fetch(server + listing.replace("{workspace}", "bank"), { headers: { authorization } });
  const page = (await found.json()) as Answer<"list_instances", 200>;
  const instance: Schemas["Instance"] | undefined = page.items.find((item) => item.editable);
  if (instance === undefined) throw new Error("nothing can be edited");
  const patch: Schemas["Patch"] = [{ op: "replace", path: "/income", value: 75000 }];
  const answer = await fetch(`${found.url}/${encodeURIComponent(instance.id)}/variables`, {
    method: "PATCH",
    body: JSON.stringify(patch),
    headers: { authorization, "Content-Type": "application/json-patch+json", "If-Match": `"${instance.version}"` },
  });
  if (!answer.ok) {
    const problem = (await answer.json()) as Schemas["Problem"];
    throw new Error(`${problem.detail} ${problem.changed_paths?.join(" ") ?? ""} ${problem.current_version ?? ""}`);
  }
  return (await answer.json()) as Answer<"patch_variables", 200>;
}

export function reasonOf(event: Schemas["Event"]): string | null {
  if (event.type !== "ProcessVariablesModified" || event.payload === null) return null;
  return (event as Schemas["ProcessVariablesModifiedEvent"]).payload.reason;
}

// The types say something: what is not in the document is refused.
export function misspelt(instance: Schemas["Instance"], edit: Schemas["Edit"]): unknown[] {
  // @ts-expect-error there is no such member
  const member = instance.versoin;
  // @ts-expect-error a position is a number
  const position: string = edit.position;
  // @ts-expect-error there is no such operation
  const operation: Schemas["PatchOperation"] = { op: "set", path: "/income" };
  return [member, position, operation];
}
