/** The server answered, and the answer is a problem (RFC 9457). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    /** `urn:procvars:<slug>` without the prefix. */
    readonly slug: string,
    readonly title: string,
    readonly detail: string,
    readonly members: Record<string, unknown>,
  ) {
    super(detail || title);
  }
}

/** No answer: nobody knows whether the server did it. */
export class ConnectionLost extends Error {}

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

export interface Call {
  method?: "GET" | "POST" | "PUT";
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  headers?: Record<string, string>;
  body?: string;
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Milliseconds until an answer is given up. */
  timeout?: number;
}

export interface Credentials {
  token(): Promise<string | null>;
  /** A new token after a refusal, or null when the person has to sign in again. */
  renew(): Promise<string | null>;
}

const BASE = "/api/v1";

/** One HTTP exchange with the public API. Bodies and answers are text; nothing is parsed here but problems. */
export class Http {
  constructor(
    private readonly credentials: Credentials,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  async call(path: string, call: Call = {}): Promise<Answer> {
    const answer = await this.attempt(path, call, await this.credentials.token());
    if (answer.status !== 401) return orThrow(answer);
    const renewed = await this.credentials.renew();
    return orThrow(renewed === null ? answer : await this.attempt(path, call, renewed));
  }

  async json<T>(path: string, call: Call = {}): Promise<T> {
    return JSON.parse((await this.call(path, call)).text) as T;
  }

  private async attempt(path: string, call: Call, token: string | null): Promise<Answer> {
    const headers: Record<string, string> = { Accept: "application/json", ...call.headers };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (call.body !== undefined) headers["Content-Type"] = call.contentType ?? "application/json";
    const timeout = AbortSignal.timeout(call.timeout ?? 60_000);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    const init: RequestInit = { method: call.method ?? "GET", headers, signal, cache: "no-store" };
    if (call.body !== undefined) init.body = call.body;
    try {
      const response = await this.fetcher(BASE + path + queryString(call.query), init);
      return { status: response.status, text: await response.text(), headers: response.headers };
    } catch (reason) {
      if (call.signal?.aborted) throw reason;
      throw new ConnectionLost("The server cannot be reached.", { cause: reason });
    }
  }
}

export function queryString(query: Call["query"] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    if (typeof value === "object") for (const one of value) params.append(name, one);
    else params.append(name, String(value));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

function orThrow(answer: Answer): Answer {
  if (answer.status < 400) return answer;
  let members: Record<string, unknown> = {};
  try {
    members = JSON.parse(answer.text) as Record<string, unknown>;
  } catch {
    // A proxy in between answers in HTML; the status has to do.
  }
  const type = String(members.type ?? "");
  const title = String(members.title ?? `The server answered ${answer.status}`);
  const detail = String(members.detail ?? "");
  throw new ProblemError(answer.status, type.replace(/^urn:procvars:/, ""), title, detail, members);
}

/** The version in `ETag: "7"`. */
export function versionOf(headers: Headers): number {
  return Number(/"(\d+)"/.exec(headers.get("ETag") ?? "")?.[1] ?? Number.NaN);
}
