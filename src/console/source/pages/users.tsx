// Users page: the accounts, with their creation, correction, activation and deletion.
import { useState } from 'preact/hooks';

import { UsersDocument } from '../api/generated';
import type { Role, UserFilter, UserRowFragment } from '../api/generated';
import { current } from '../api/session';
import { pageOf, useView } from '../parts/address-state';
import type { View } from '../parts/address-state';
import { Correct, CreateUser, Delete, ResetFactors, SetActive, SetPassword, Unlock } from '../parts/change-user';
import { Filters } from '../parts/filters';
import type { Filter } from '../parts/filters';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { Time } from '../parts/time';
import { texts } from '../texts';

const filters: Filter[] = [
  { name: 'search', label: texts.users.search, hint: texts.users.searchHint },
  { name: 'state', label: texts.users.state, options: texts.users.states },
  { name: 'role', label: texts.users.role, options: texts.role },
];

const filterOf = (view: View): UserFilter => ({
  search: view.search,
  isActive: view.state ? view.state === 'active' : undefined,
  role: view.role as Role | undefined,
});

type Change = 'correct' | 'setPassword' | 'unlock' | 'resetFactors' | 'setActive' | 'delete';
type Doing = { what: 'create' } | { what: Change; user: UserRowFragment };

export function Users() {
  const { view, show, turn } = useView();
  const asked = useQuery(UsersDocument, { ...pageOf(view), filter: filterOf(view) });
  const [doing, setDoing] = useState<Doing>();
  const onClose = () => setDoing(undefined);
  const columns: Column<UserRowFragment>[] = [
    { name: texts.users.username, cell: row => row.username },
    { name: texts.users.email, cell: row => <Address user={row} /> },
    { name: texts.users.role, cell: row => <Roles user={row} /> },
    { name: texts.users.state, cell: row => <span class={row.isActive ? 'badge' : 'badge ended'}>{texts.users.states[row.isActive ? 'active' : 'inactive']}</span> },
    { name: texts.users.factors, cell: row => <Factors user={row} /> },
    { name: texts.users.since, cell: row => <Time at={row.createdAt} /> },
    { name: texts.users.lastLogin, cell: row => <Time at={row.lastLoginAt} /> },
    { name: texts.users.links, cell: row => <Links user={row} /> },
    { name: texts.users.actions, cell: row => <Actions user={row} setDoing={setDoing} /> },
  ];
  return (
    <Page
      title={texts.users.title}
      actions={
        <button type="button" onClick={() => setDoing({ what: 'create' })}>
          {texts.users.create}
        </button>
      }
    >
      <Filters filters={filters} view={view} show={show} />
      <List caption={texts.users.caption} asked={asked} list={asked.data?.users} columns={columns} empty={texts.users.empty} turn={turn} />
      {doing?.what === 'create' && <CreateUser onClose={onClose} />}
      {doing?.what === 'correct' && <Correct user={doing.user} onClose={onClose} />}
      {doing?.what === 'unlock' && <Unlock user={doing.user} onClose={onClose} />}
      {doing?.what === 'resetFactors' && <ResetFactors user={doing.user} onClose={onClose} />}
      {doing?.what === 'delete' && <Delete user={doing.user} onClose={onClose} />}
      {doing?.what === 'setActive' && <SetActive user={doing.user} onClose={onClose} />}
      {doing?.what === 'setPassword' && <SetPassword user={doing.user} onClose={onClose} />}
    </Page>
  );
}

function Address({ user: { email, emailVerifiedAt } }: { user: UserRowFragment }) {
  if (email === null) return <>{texts.none}</>;
  return (
    <>
      <span>{email}</span>
      {!emailVerifiedAt && <span class="badge next">{texts.users.unverified}</span>}
    </>
  );
}

function Roles({ user: { role, roles } }: { user: UserRowFragment }) {
  return (
    <span class="stacked">
      <span>{texts.role[role]}</span>
      {roles.length > 0 && <span class="hint">{roles.join(', ')}</span>}
    </span>
  );
}

const hasFactor = ({ secondFactors }: UserRowFragment) => Boolean(secondFactors && (secondFactors.totpSince || secondFactors.passkeys.length > 0));

function Factors({ user }: { user: UserRowFragment }) {
  const { secondFactors } = user;
  if (!secondFactors) return <>{texts.none}</>;
  const { totpSince, passkeys, recoveryCodesLeft, isRequired } = secondFactors;
  return (
    <span class="stacked">
      {totpSince && (
        <span>
          {texts.users.app} <Time at={totpSince} />
        </span>
      )}
      {passkeys.length > 0 && <span>{texts.users.passkeys(passkeys.length)}</span>}
      {!hasFactor(user) && <span>{texts.users.noFactors}</span>}
      {hasFactor(user) && <span class="hint">{texts.users.codesLeft(recoveryCodesLeft)}</span>}
      {isRequired && <span class="badge">{texts.users.required}</span>}
    </span>
  );
}

function Links({ user }: { user: UserRowFragment }) {
  const link = (page: string, label: string) => (
    <a href={`/console/${page}?user=${encodeURIComponent(user.username)}`} aria-label={`${label}: ${user.username}`}>
      {label}
    </a>
  );
  return (
    <span class="links">
      {link('sessions', texts.users.sessions)}
      {link('events', texts.users.events)}
    </span>
  );
}

function Actions({ user, setDoing }: { user: UserRowFragment; setDoing: (doing: Doing) => void }) {
  // The own account has its own page, where it is changed.
  if (user.id === current()?.user.id) return <a href="/console/account">{texts.account.title}</a>;
  const button = (what: Change, label: string) => (
    <button type="button" class="plain" aria-label={`${label}: ${user.username}`} onClick={() => setDoing({ what, user })}>
      {label}
    </button>
  );
  return (
    <span class="actions several">
      {button('correct', texts.users.correct)}
      {button('setPassword', texts.users.setPassword)}
      {button('unlock', texts.users.unlock)}
      {hasFactor(user) && button('resetFactors', texts.users.resetFactors)}
      {button('setActive', user.isActive ? texts.users.deactivate : texts.users.activate)}
      {button('delete', texts.users.delete)}
    </span>
  );
}
