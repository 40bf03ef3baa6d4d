// View of a page that needs a link and was opened without a token.
import { Card } from '../parts/card';
import { texts } from './texts';

export const Incomplete = () => (
  <Card title={texts.incomplete.title}>
    <p>{texts.incomplete.text}</p>
  </Card>
);
