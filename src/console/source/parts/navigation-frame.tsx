// Frame around every page: navigation, logged-in user, theme, logout and notices.
import { useLocation } from 'preact-iso';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { online } from '../api/reachability';
import { logOut } from '../api/session';
import type { LoggedIn } from '../api/tab-channel';
import { pages } from '../pages';
import { texts } from '../texts';
import { Mark } from './mark';
import { Notice, say } from './notice';
import { Reauthentication } from './reauthentication';
import { choose, theme } from './theme';
import type { Theme } from './theme';

export function Shell({ session, children }: { session: LoggedIn; children: ComponentChildren }) {
  const { user } = session;
  const links = pages.filter(({ label, isForAdmins }) => label && (!isForAdmins || user.role === 'ADMIN'));
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <header class="side">
        <a class="brand" href="/console">
          <Mark />
          {texts.product}
        </a>
        <nav aria-label={texts.navigation}>
          <ul>
            {links.map(({ path, label }) => (
              <li key={path}>
                <Link path={path} label={label!} />
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <p>
            <strong>{user.username}</strong>
            <span>{texts.role[user.role]}</span>
          </p>
          <ThemeChoice />
          <LogOut />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Reauthentication />
      <div class="notices">
        <div class="away" role="status">
          {!online.value && <p>{texts.service.away}</p>}
        </div>
        <Notice />
      </div>
    </div>
  );
}

function middle(element: Element): number {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
}

function Link({ path, label }: { path: string; label: string }) {
  const { path: here } = useLocation();
  const isHere = here === path || here.startsWith(`${path}/`);
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    // On a narrow screen not all links fit. `scrollIntoView` would move the starting point of keyboard
    // navigation.
    const [shown, nav] = [link.current!, link.current!.closest('nav')!];
    if (isHere) nav.scrollLeft += middle(shown) - middle(nav);
  }, [isHere]);
  return (
    <a ref={link} href={path} aria-current={here === path ? 'page' : isHere ? 'true' : undefined}>
      {label}
    </a>
  );
}

function ThemeChoice() {
  const { label, ...choices } = texts.theme;
  return (
    <label class="theme">
      <span class="unseen">{label}</span>
      <select onChange={event => choose(event.currentTarget.value as Theme)}>
        {Object.entries(choices).map(([value, text]) => (
          <option value={value} selected={value === theme.value} key={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function LogOut() {
  const [isBusy, setBusy] = useState(false);
  const out = async () => {
    if (isBusy) return;
    setBusy(true);
    await logOut().catch(() => say(texts.service.away));
    setBusy(false);
  };
  return (
    <button type="button" aria-disabled={isBusy} onClick={out}>
      {texts.logOut}
    </button>
  );
}
