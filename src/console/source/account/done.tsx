// Last view of a page: what was done.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Card } from '../parts/card';
import { texts } from './texts';

interface Props {
  title: string;
  /** Whether this browser has a session now. */
  isLoggedIn?: boolean;
  children?: ComponentChildren;
}

export function Done({ title, isLoggedIn = false, children }: Props) {
  const hasConsole = useConsole(isLoggedIn);
  return (
    <Card title={title}>
      {children}
      {hasConsole ? (
        <p>
          <a href="/console">{texts.openConsole}</a>
        </p>
      ) : (
        <p>{texts.closePage}</p>
      )}
    </Card>
  );
}

/** Whether the service has a console, which `--console false` switches off. */
function useConsole(isWanted: boolean): boolean {
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    if (!isWanted) return;
    fetch('/console', { method: 'HEAD' }).then(
      ({ ok }) => setThere(ok),
      () => {},
    );
  }, [isWanted]);
  return isThere;
}
