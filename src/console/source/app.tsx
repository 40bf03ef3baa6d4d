// Root component: the routes of the pages while a user is logged in, otherwise the login form.
import { Route, Router, useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';

import { state } from './api/session';
import { pages } from './pages';
import type { PageEntry } from './pages';
import { LogIn } from './pages/log-in';
import { Shell } from './parts/navigation-frame';
import { Page } from './parts/page';
import { texts } from './texts';

export function App() {
  const { value } = state;
  switch (value.at) {
    case 'starting':
      return <main class="alone">{texts.service.starting}</main>;
    case 'unreachable':
      return (
        <main class="alone">
          <div role="alert">
            <h1>{texts.service.unreachableTitle}</h1>
            <p>{texts.service.unreachable}</p>
          </div>
        </main>
      );
    case 'out':
      return <LogIn reason={value.reason} />;
    case 'in': {
      const isAdmin = value.session.user.role === 'ADMIN';
      return (
        // The key discards all state of the previous session, which may be that of another user.
        <Shell session={value.session} key={value.session.sessionId}>
          <Router>
            {pages.map(entry => (
              <Route path={entry.path} component={allowed(entry, isAdmin)} key={entry.path} />
            ))}
            <Route path="/console" component={isAdmin ? FirstForAdmins : FirstForUsers} />
            <Route default component={NotFound} />
          </Router>
        </Shell>
      );
    }
  }
}

const allowed = ({ page, isForAdmins }: PageEntry, isAdmin: boolean) => (isForAdmins && !isAdmin ? Forbidden : page);

const FirstForAdmins = () => <Go to="/console/sessions" />;
const FirstForUsers = () => <Go to="/console/account" />;

function Go({ to }: { to: string }) {
  const { route } = useLocation();
  useEffect(() => route(to, true), []);
  return null;
}

function Forbidden() {
  return (
    <Page title={texts.forbidden.title}>
      <p>
        {texts.forbidden.text} <a href="/console/account">{texts.forbidden.link}</a>.
      </p>
    </Page>
  );
}

function NotFound() {
  return (
    <Page title={texts.notFound.title}>
      <p>
        {texts.notFound.text} <a href="/console">{texts.notFound.back}</a>.
      </p>
    </Page>
  );
}
