import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { PERMISSION } from "../api/types";
import { config, may, me, signInEnded, signOut, useSampleUser, workspaces } from "../auth/session";
import { useShortcut } from "../keyboard";
import { address, go, to } from "../router";
import { setTheme, type Theme, theme } from "../theme";
import { announce, announcement } from "../widgets/announce";
import { Dialog } from "../widgets/Dialog";
import { lazily } from "../widgets/lazily";
import { Menu } from "../widgets/Menu";
import { SampleUsers } from "./SignIn";

const THEMES: [Theme, string][] = [
  ["system", "Colours as the system"],
  ["light", "Light colours"],
  ["dark", "Dark colours"],
];

const ShortcutHelp = lazily(async () => (await import("./ShortcutHelp")).ShortcutHelp);

/** What is around every page: workspace, navigation, who is signed in, announcements. */
export function Shell({ workspace, children }: { workspace: string | null; children: ComponentChildren }) {
  const who = me.value!;
  const current = workspace ?? workspaces.value[0] ?? null;
  const path = address.value.path;
  const [helping, setHelping] = useState(false);
  useShortcut("/", "Find: go to the search field", find);
  useShortcut("?", "Show these shortcuts", () => setHelping(true));
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="app-bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="24" height="24" /> <span>procvars</span>
        </a>
        <nav aria-label="Main">
          {current && (
            <>
              <a href={to.overview(current)} aria-current={path === to.overview(current) ? "page" : undefined}>
                Overview
              </a>
              <a
                href={to.instances(current)}
                aria-current={path.startsWith(to.instances(current)) ? "page" : undefined}
              >
                Process instances
              </a>
              <a href={to.bulk(current)} aria-current={path.startsWith(to.bulk(current)) ? "page" : undefined}>
                Bulk modifications
              </a>
              {may(PERMISSION.tasks, current) && (
                <a href={to.tasks(current)} aria-current={path === to.tasks(current) ? "page" : undefined}>
                  Tasks
                </a>
              )}
              {may(PERMISSION.audit, current) && (
                <a href={to.audit(current)} aria-current={path === to.audit(current) ? "page" : undefined}>
                  Audit log
                </a>
              )}
            </>
          )}
          {may(PERMISSION.projections) && (
            <a href={to.projections()} aria-current={path === to.projections() ? "page" : undefined}>
              Projections
            </a>
          )}
        </nav>
        <div class="app-bar-end">
          {current && (
            <label class="workspace">
              <span class="quiet">Workspace</span>
              <select value={current} onChange={(event) => void go(to.instances(event.currentTarget.value))}>
                {[...new Set([...workspaces.value, current])].map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
          <Menu
            label={`Account: ${who.user_name || who.user}`}
            class="quiet-button account"
            items={[
              ...THEMES.filter(([value]) => value !== theme.value).map(([value, label]) => ({
                label,
                onSelect: () => setTheme(value),
              })),
              { label: "Keyboard shortcuts", onSelect: () => setHelping(true) },
              { label: "Sign out", onSelect: signOut },
            ]}
          >
            <span class="avatar" data-letter={(who.user_name || who.user).slice(0, 1).toUpperCase()} />
            <span class="account-name">{who.user_name || who.user}</span>
          </Menu>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <div class="announcements" role="status" aria-live="polite">
        {announcement.value && <p class={announcement.value.tone}>{announcement.value.text}</p>}
      </div>
      {helping && <ShortcutHelp onClose={() => setHelping(false)} />}
      {signInEnded.value && <SignInAgain />}
    </>
  );
}

/** Goes to the search field of the page, if it has one. */
function find(): void {
  const field = document.querySelector<HTMLInputElement>("[data-find]");
  field?.focus();
  field?.select();
}

function SignInAgain() {
  const choose = (token: string) => useSampleUser(token).catch(() => announce("That sign-in was not accepted.", "bad"));
  return (
    <Dialog title="Your sign-in has ended" onClose={() => undefined} busy>
      <p>Sign in again to go on. Nothing you typed is lost.</p>
      {config.value?.oidc && (
        <button
          type="button"
          class="primary"
          onClick={() => open("/auth/again", "procvars-signin", "width=520,height=680")}
        >
          Sign in
        </button>
      )}
      {config.value?.sample_users && <SampleUsers onChoose={choose} />}
    </Dialog>
  );
}
