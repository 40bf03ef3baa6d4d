// Signing keys page: the keys of access tokens with their states, and the rotation.
import { useEffect, useState } from 'preact/hooks';

import { KeysDocument } from '../api/generated';
import type { KeyFragment } from '../api/generated';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Page } from '../parts/page';
import { reload, useQuery } from '../parts/query';
import { RotateKey } from '../parts/rotate-key';
import { Time } from '../parts/time';
import { texts } from '../texts';

const columns: Column<KeyFragment>[] = [
  {
    name: texts.keys.state,
    cell: ({ state }) => (
      <span class={`badge ${state.toLowerCase()}`} title={texts.keys.stateMore[state]}>
        {texts.keys.states[state]}
      </span>
    ),
  },
  { name: texts.keys.kid, cell: key => <code>{key.kid}</code> },
  { name: texts.keys.algorithm, cell: key => key.algorithm },
  { name: texts.keys.created, cell: key => <Time at={key.createdAt} /> },
  { name: texts.keys.activates, cell: key => <Time at={key.activatesAt} /> },
  { name: texts.keys.retire, cell: key => <Retire {...key} /> },
];

export function Keys() {
  const asked = useQuery(KeysDocument, {});
  const [isRotating, setRotating] = useState(false);
  const keys = asked.data?.signingKeys;
  useTurn(keys);
  return (
    <Page
      title={texts.keys.title}
      actions={
        <button type="button" onClick={() => setRotating(true)}>
          {texts.keys.rotate}
        </button>
      }
    >
      <List caption={texts.keys.caption} asked={asked} list={keys && { nodes: keys.toReversed() }} columns={columns} empty={texts.keys.empty} />
      {isRotating && <RotateKey onClose={() => setRotating(false)} />}
    </Page>
  );
}

/** Text for whether the key can be retired. */
function Retire({ state, retireSafeAt }: KeyFragment) {
  const { now, signs, from } = texts.keys.safe;
  if (state === 'RETIRED') return <span>{now}</span>;
  if (!retireSafeAt) return <span>{signs}</span>;
  return (
    <span>
      {from} <Time at={retireSafeAt} />
    </span>
  );
}

const SOON = 86_400_000;

/** Reloads when the next key changes its state. */
function useTurn(keys: KeyFragment[] | null | undefined) {
  useEffect(() => {
    const turns = (keys ?? []).flatMap(({ activatesAt, retireSafeAt }) => [activatesAt, retireSafeAt]).map(at => (at ? Date.parse(at) - Date.now() : 0));
    const next = Math.min(...turns.filter(wait => wait > 0));
    if (next > SOON) return;
    // Two seconds later, because the local clock may differ from that of the service.
    const timer = setTimeout(reload, next + 2_000);
    return () => clearTimeout(timer);
  }, [keys]);
}
