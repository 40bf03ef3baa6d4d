// Page of one card: the login form, and the pages of links in e-mails.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { PRODUCT } from '../product';
import { Mark } from './mark';

let isFirst = true;

interface Props {
  title: string;
  children: ComponentChildren;
}

export function Card({ title, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${PRODUCT}`;
    // After a step, screen readers continue at the heading.
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [title]);
  return (
    <main class="single">
      <div class="card">
        <p class="brand">
          <Mark />
          {PRODUCT}
        </p>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
    </main>
  );
}
