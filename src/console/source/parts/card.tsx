// Page of one card: the login form, and the pages of links in e-mails.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { PRODUCT } from '../product';
import { Mark } from './mark';

let isFirst = true;

interface Props {
  title: string;
  children: ComponentChildren;
}

export function Card({ title, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = `${title} · ${PRODUCT}`;
    // After a step, screen readers continue at the heading. The focus moves with the content: after the next frame it
    // would be taken from a user who is already at an input.
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
