import { useState } from "preact/hooks";
import { config, useSampleUser } from "../auth/session";
import { Trouble } from "../widgets/small";

export function SignIn() {
  const [error, setError] = useState<unknown>(undefined);
  const { oidc, sample_users: users } = config.value ?? { oidc: null, sample_users: null };
  const here = location.pathname.startsWith("/auth/") ? "/" : location.pathname + location.search;
  const attempt = (act: () => Promise<void>) => {
    setError(undefined);
    act().catch(setError);
  };
  return (
    <main class="signin">
      <div class="card">
        <h1>
          <img src="/icon.svg" alt="" width="32" height="32" /> procvars
        </h1>
        <p>Edit the variables of running process instances, safely.</p>
        {error !== undefined && <Trouble reason={error} />}
        {oidc && (
          <button
            type="button"
            class="primary wide"
            onClick={() => attempt(async () => (await import("../auth/oidc")).begin(oidc, here))}
          >
            Sign in
          </button>
        )}
        {users && <SampleUsers onChoose={(token) => attempt(() => useSampleUser(token))} />}
        {!oidc && !users && (
          <p class="notice warn">
            No way to sign in is configured on this server. Its administrator has to name an OpenID provider.
          </p>
        )}
      </div>
    </main>
  );
}

export function SampleUsers({ onChoose }: { onChoose(token: string): void }) {
  return (
    <section aria-label="Sample users">
      <p class="quiet">Sample data. Sign in as</p>
      <ul class="users">
        {config.value?.sample_users?.map((user) => (
          <li key={user.token}>
            <button type="button" onClick={() => onChoose(user.token)}>
              <strong>{user.name}</strong> <span class="quiet">{user.role}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
