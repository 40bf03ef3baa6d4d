// Dialog for rotating the signing key. The effect on the tokens in use is shown before the confirmation.
import { useState } from 'preact/hooks';

import { RotateKeyDocument } from '../api/generated';
import type { RotateKeyMutation } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Select } from './field';

type Rotated = NonNullable<RotateKeyMutation['rotateSigningKey']>;

const ALGORITHMS = { ES256: 'ES256', EdDSA: 'EdDSA', RS256: 'RS256' };

export function RotateKey({ onClose }: { onClose: () => void }) {
  const [immediately, setImmediately] = useState(false);
  const [algorithm, setAlgorithm] = useState('');
  const { rotation } = texts.keys;
  const rotate = async () => (await ask(RotateKeyDocument, { immediately, algorithm: algorithm || undefined })).rotateSigningKey;
  const said = ({ signingKey }: Rotated) => (signingKey?.state === 'NEXT' ? rotation.published : rotation.signs);
  const way = (isThis: boolean, name: string, more: string) => (
    <label class="choice">
      <input type="radio" name="immediately" checked={immediately === isThis} onChange={() => setImmediately(isThis)} />
      <span>
        {name}
        <span class="hint">{more}</span>
      </span>
    </label>
  );
  return (
    <Confirm
      title={texts.keys.rotate}
      confirm={immediately ? rotation.confirmNow : rotation.confirm}
      busy={rotation.busy}
      danger={immediately}
      act={rotate}
      said={said}
      onClose={onClose}
    >
      <fieldset>
        <legend>{rotation.how}</legend>
        {way(false, rotation.planned, rotation.plannedMore)}
        {way(true, rotation.emergency, rotation.emergencyMore)}
      </fieldset>
      <Select label={texts.keys.algorithm} none={rotation.sameAlgorithm} options={ALGORITHMS} value={algorithm} onChange={event => setAlgorithm(event.currentTarget.value)} />
    </Confirm>
  );
}
