// Pages of the links in e-mails. They do nothing until the person presses a button: programs that open links
// to check them may run scripts, and must not use a link up.
import '../style/theme.css';
import '../style/controls.css';
import '../style/card.css';

import { render } from 'preact';
import type { ComponentType } from 'preact';

import { LogIn } from './log-in';
import { Reset } from './reset';
import { Revert } from './revert';
import { language } from './texts';
import { takeToken } from './token';
import { Verify } from './verify';

const pages: Record<string, ComponentType<{ token?: string }>> = {
  '/account/verify': Verify,
  '/account/reset': Reset,
  '/account/login': LogIn,
  '/account/revert': Revert,
};

let opened = 0;

function open(token: string | undefined) {
  const Page = pages[location.pathname];
  // The key discards the state of the page before.
  if (Page) render(<Page token={token} key={opened++} />, document.getElementById('account')!);
}

document.documentElement.lang = language;
open(takeToken());
// Another link of the same page, opened in this tab, changes only the fragment.
addEventListener('hashchange', () => {
  const token = takeToken();
  if (token) open(token);
});
