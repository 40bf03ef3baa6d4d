// List of the pages, in the order of the navigation. `path` is the route of a page, `label` the text of
// its link; a page without a label is not in the navigation.
import type { ComponentType } from 'preact';

import { texts } from '../texts';
import { Account } from './account';
import { Blacklist } from './blacklist';
import { Events } from './events';
import { Keys } from './keys';
import { Now } from './last-hour';
import { Mail } from './mail';
import { Move } from './move';
import { SessionStory } from './session-detail';
import { Sessions } from './sessions';
import { Users } from './users';

export interface PageEntry {
  path: string;
  label?: string;
  page: ComponentType<{ params: Record<string, string> }>;
  isForAdmins: boolean;
}

export const pages: PageEntry[] = [
  { path: '/console/now', label: texts.now.title, page: Now, isForAdmins: true },
  { path: '/console/sessions', label: texts.sessions.title, page: Sessions, isForAdmins: true },
  { path: '/console/sessions/:id', page: SessionStory, isForAdmins: false },
  { path: '/console/blacklist', label: texts.blacklist.title, page: Blacklist, isForAdmins: true },
  { path: '/console/users', label: texts.users.title, page: Users, isForAdmins: true },
  { path: '/console/events', label: texts.events.title, page: Events, isForAdmins: true },
  { path: '/console/mail', label: texts.mail.title, page: Mail, isForAdmins: true },
  { path: '/console/keys', label: texts.keys.title, page: Keys, isForAdmins: true },
  { path: '/console/move', label: texts.move.title, page: Move, isForAdmins: true },
  { path: '/console/account', label: texts.account.title, page: Account, isForAdmins: false },
];
