import type { Http } from "./http";
import type { Me, Page, Parked, Projection } from "./types";

/** What is not of one workspace: who I am, and the projections. */
export class Organisation {
  constructor(private readonly http: Http) {}

  me(): Promise<Me> {
    return this.http.json("/me");
  }

  async projections(signal?: AbortSignal): Promise<Projection[]> {
    const answer = await this.http.json<Page<Projection> | Projection[]>("/projections", { signal });
    return Array.isArray(answer) ? answer : answer.items;
  }

  async act(name: string, action: "rebuild" | "pause" | "resume"): Promise<void> {
    await this.http.call(`/projections/${encodeURIComponent(name)}/${action}`, { method: "POST" });
  }

  check(name: string): Promise<{ equal: boolean; differing: string[] }> {
    return this.http.json(`/projections/${encodeURIComponent(name)}/check`, { method: "POST", timeout: 600_000 });
  }

  async parked(name: string): Promise<Parked[]> {
    return (await this.http.json<Page<Parked>>(`/projections/${encodeURIComponent(name)}/parked`)).items;
  }

  /** False where the event failed again. */
  async retry(name: string, instance: string): Promise<boolean> {
    const path = `/projections/${encodeURIComponent(name)}/parked/${encodeURIComponent(instance)}/retry`;
    const answer = await this.http.call(path, { method: "POST" });
    return answer.text === "" || (JSON.parse(answer.text) as { released?: boolean }).released !== false;
  }
}
