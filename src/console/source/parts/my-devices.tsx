// Devices on which a login of the user's own account needs no second step.
import { useState } from 'preact/hooks';

import { RemoveTrustedDeviceDocument } from '../api/generated';
import type { TrustedDeviceRowFragment } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { List } from './list';
import type { Column } from './list';
import { Time } from './time';

const { devices: words } = texts;

const nameOf = ({ name }: TrustedDeviceRowFragment) => name ?? words.unnamed;

export function MyDevices({ devices }: { devices: TrustedDeviceRowFragment[] }) {
  const [removed, setRemoved] = useState<TrustedDeviceRowFragment>();
  const columns: Column<TrustedDeviceRowFragment>[] = [
    { name: words.name, cell: nameOf },
    { name: words.since, cell: row => <Time at={row.createdAt} /> },
    { name: words.until, cell: row => <Time at={row.expiresAt} /> },
    {
      name: words.actions,
      cell: row => (
        <span class="actions">
          <button type="button" class="plain" aria-label={`${words.remove}: ${nameOf(row)}`} onClick={() => setRemoved(row)}>
            {words.remove}
          </button>
        </span>
      ),
    },
  ];
  return (
    <section aria-labelledby="devices" class="band">
      <h2 id="devices">{words.title}</h2>
      <p class="hint">{words.how}</p>
      <List caption={words.caption} asked={{ loading: false }} list={{ nodes: devices }} columns={columns} empty="" />
      {removed && <Remove device={removed} onClose={() => setRemoved(undefined)} />}
    </section>
  );
}

function Remove({ device, onClose }: { device: TrustedDeviceRowFragment; onClose: () => void }) {
  const remove = async () => (await ask(RemoveTrustedDeviceDocument, { trustedDeviceId: device.id })).removeTrustedDevice;
  return (
    <Confirm title={words.removeTitle} confirm={words.removeTitle} danger act={remove} said={() => words.removed(nameOf(device))} onClose={onClose}>
      <p>{words.removeSure(nameOf(device))}</p>
    </Confirm>
  );
}
