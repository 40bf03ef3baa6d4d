// Recovery codes, which the service returns once: shown until the user confirms that they are saved.
import { ActionForm } from './action-form';
import { CopyButton } from './copy-button';
import { saveFile } from './save-file';

export interface RecoveryCodesTexts {
  title: string;
  how: string;
  /** First line of the file and of the printed page. */
  heading: (username: string, day: Date) => string;
  copy: string;
  copied: string;
  download: string;
  file: (username: string) => string;
  print: string;
  saved: string;
  notSaved: string;
  submit: string;
}

interface Props {
  codes: string[];
  username: string;
  texts: RecoveryCodesTexts;
  onDone: () => void;
}

export function RecoveryCodes({ codes, username, texts, onDone }: Props) {
  const heading = texts.heading(username, new Date());
  const lines = codes.join('\n');
  const act = async (typed: FormData) => {
    if (!typed.get('saved')) return texts.notSaved;
    onDone();
  };
  return (
    <ActionForm submit={texts.submit} busy={texts.submit} act={act} failed={error => error.message}>
      <p>{texts.how}</p>
      <div class="recovery-codes">
        <p class="printed">{heading}</p>
        <ul>
          {codes.map(code => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ul>
      </div>
      <p class="actions">
        <CopyButton text={lines} label={texts.copy} copied={texts.copied} />
        <button type="button" onClick={() => saveFile(`${heading}\n\n${lines}\n`, 'text/plain', texts.file(fileName(username)))}>
          {texts.download}
        </button>
        <button type="button" onClick={() => print()}>
          {texts.print}
        </button>
      </p>
      <label class="choice">
        <input type="checkbox" name="saved" />
        {texts.saved}
      </label>
    </ActionForm>
  );
}

const fileName = (username: string) => username.replace(/[^\w.-]/g, '_');
